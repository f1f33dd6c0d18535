import { createHash } from "node:crypto";
import { closeSync, writeFileSync } from "node:fs";
import { lstat, mkdir, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { readModelShape } from "../../../coordinator/base-model/read-model-shape.ts";
import { DEMO_MODEL_SHA256, resolveModel, resolveModelName } from "../../../coordinator/base-model/resolve-model.ts";
import { formatBytes } from "../../../coordinator/format.ts";
import type { TailtuneError } from "../../../shared/errors.ts";
import { lockFile } from "../../../shared/files/lock-file.ts";
import { openModel } from "../../../shared/model/open-model.ts";
import { writeRandomModel } from "../../../shared/model/random-model.ts";
import { writeSafetensors } from "../../../shared/model/safetensors.ts";
import { TINY, tinyModel } from "../../shared/model/tiny-model.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { COMMIT, type FakeHub, REPO, startFakeHub } from "./fake-hub.ts";

const SNAPSHOT = join("models--someone--tiny", "snapshots", COMMIT);
const BLOBS = join("models--someone--tiny", "blobs");

/** A hub with a model of 2.5 MB, and an empty cache. */
async function hubWithModel(t: ExecutionContext) {
	const folder = join(await temporaryFolder(t), "model");
	await writeRandomModel(folder, { ...TINY, n_embd: 64, vocab_size: 8000 }, 1);
	const hub = await startFakeHub(t, {
		"config.json": await readFile(join(folder, "config.json")),
		"model.safetensors": await readFile(join(folder, "model.safetensors")),
		"pytorch_model.bin": Buffer.from("never asked for"),
	});
	return { hub, cacheDir: await temporaryFolder(t), hash: await (await openModel(folder)).hash() };
}

const askedFor = (hub: FakeHub, name: string) => hub.requests.filter(({ path }) => path.endsWith(`/${name}`));
const weightsOf = (hub: FakeHub) => hub.files.get("model.safetensors") as Buffer;

async function incompleteFiles(cacheDir: string): Promise<string[]> {
	return (await readdir(join(cacheDir, BLOBS))).filter((name) => name.endsWith(".incomplete"));
}

/** Collects the lines and the progress of downloads. */
function record() {
	const [lines, progress]: [string[], [number, number][]] = [[], []];
	const listener = {
		line: (text: string) => void lines.push(text),
		download: () => (done: number, total: number) => void progress.push([done, total]),
	};
	return { lines, progress, listener };
}

const VARIABLES = ["HF_TOKEN", "HF_TOKEN_PATH", "HF_ENDPOINT", "HF_HUB_CACHE", "HF_HOME", "HF_HUB_OFFLINE"] as const;
function unset() {
	for (const name of VARIABLES) delete process.env[name];
	// A folder without a token.
	process.env.HF_HOME = "/nonexistent";
}
unset();
test.afterEach.always(unset);

// Serial tests run before all others, so their settings affect no other test.
test.serial("takes address, cache and token from Hugging Face's own variables", async (t) => {
	const { hub, cacheDir } = await hubWithModel(t);
	process.env.HF_ENDPOINT = hub.url;
	process.env.HF_HUB_CACHE = cacheDir;
	process.env.HF_TOKEN = "hf_secret";
	t.is(await resolveModel(REPO), join(cacheDir, SNAPSHOT));
	t.true(hub.requests.length >= 4);
	t.true(hub.requests.every(({ authorization }) => authorization === "Bearer hf_secret"));
	delete process.env.HF_HUB_CACHE;
	process.env.HF_HOME = await temporaryFolder(t);
	t.is(await resolveModel(REPO), join(process.env.HF_HOME, "hub", SNAPSHOT));
});

test.serial("a token comes from HF_TOKEN or a file, and is sent to no other server", async (t) => {
	const { hub } = await hubWithModel(t);
	const storage = await startFakeHub(t, Object.fromEntries(hub.files));
	hub.storage = storage.url;
	const home = await temporaryFolder(t, { token: "hf_home\n", other: "hf_other" });
	for (const [variables, token] of [
		[{ HF_HOME: home }, "hf_home"],
		[{ HF_HOME: home, HF_TOKEN_PATH: join(home, "other") }, "hf_other"],
		[{ HF_HOME: home, HF_TOKEN: " hf_own\n" }, "hf_own"],
	] as const) {
		Object.assign(process.env, variables);
		hub.requests.length = 0;
		await resolveModel(REPO, { cacheDir: await temporaryFolder(t), hubUrl: hub.url });
		t.deepEqual([...new Set(hub.requests.map(({ authorization }) => authorization))], [`Bearer ${token}`]);
	}
	t.deepEqual(
		storage.requests.map(({ path, authorization }) => [path.split("/").at(-1), authorization]),
		Array(3).fill(["model.safetensors", undefined]),
	);
});

test.serial("with HF_HUB_OFFLINE a model comes from the cache, or is refused without a request", async (t) => {
	const { hub, cacheDir } = await hubWithModel(t);
	const options = { cacheDir, hubUrl: hub.url };
	process.env.HF_HUB_OFFLINE = "1";
	await t.throwsAsync(resolveModel(REPO, options), {
		code: "offline",
		message: /^--model someone\/tiny: HF_HUB_OFFLINE is set and it isn't in the cache \(.*\); run once without it$/,
	});
	t.deepEqual(hub.requests, []);
	delete process.env.HF_HUB_OFFLINE;
	const folder = await resolveModel(REPO, options);
	process.env.HF_HUB_OFFLINE = "1";
	t.is(await resolveModel(REPO, options), folder);
});

test.serial("refuses a token that isn't one without showing it", async (t) => {
	process.env.HF_TOKEN = "secret";
	const request = resolveModel(REPO, { cacheDir: await temporaryFolder(t), hubUrl: "http://127.0.0.1:1" });
	await t.throwsAsync(request, { code: "usage", message: "HF_TOKEN: expected a token that begins with hf_" });
});

test.serial("a refusal of the hub is one line about the name, the token or the access", async (t) => {
	const { hub, cacheDir } = await hubWithModel(t);
	const refusal = async (status: number, name = REPO) => {
		hub.status = status;
		const error = await t.throwsAsync(resolveModel(name, { cacheDir, hubUrl: hub.url }));
		return [(error as TailtuneError).code, error?.message];
	};
	const missing = "no folder and no hub model of that name (or a private or gated one: set HF_TOKEN)";
	for (const status of [401, 403, 404])
		t.deepEqual(await refusal(status), ["not-found", `--model someone/tiny: ${missing}`]);
	process.env.HF_TOKEN = "hf_secret";
	t.deepEqual(await refusal(401), ["denied", `--model someone/tiny: ${hub.url} doesn't accept the token of HF_TOKEN`]);
	const page = `ask for it at ${hub.url}/someone/tiny`;
	t.deepEqual(await refusal(403), ["denied", `--model someone/tiny: the token of HF_TOKEN has no access; ${page}`]);
	const unknown = "no hub model or no revision of that name, or a private one without access for the token of HF_TOKEN";
	t.deepEqual(await refusal(404, `${REPO}@v2`), ["not-found", `--model someone/tiny@v2: ${unknown}`]);
	t.deepEqual(await readdir(cacheDir), []);
});

test("downloads the tokenizer files of a hub model, so that they can be checked", async (t) => {
	const { hub, cacheDir } = await hubWithModel(t);
	hub.files.set("vocab.json", Buffer.from('{"a":0}'));
	hub.files.set("vocab.txt", Buffer.from("[PAD]"));
	const folder = await resolveModel(REPO, { cacheDir, hubUrl: hub.url });
	const names = (await readdir(folder)).sort();
	t.deepEqual(names, ["config.json", "model.safetensors", "vocab.json", "vocab.txt"]);
	t.is(await readFile(join(folder, "vocab.json"), "utf8"), '{"a":0}');
});

test("demo is the bundled model, with the checksum in its card", async (t) => {
	const folder = await resolveModel("demo");
	t.is((await openModel(folder)).config.n_embd, 96);
	t.true((await readFile(join(folder, "CARD.md"), "utf8")).includes(DEMO_MODEL_SHA256));
});

test("a folder is used as it is; a file and an unknown name are refused, and the message names the valid values", async (t) => {
	const folder = await tinyModel(t);
	t.is(await resolveModel(folder), folder);
	await t.throwsAsync(resolveModel(join(folder, "config.json")), { code: "not-found", message: /expected a folder/ });
	for (const name of ["./nothing/here/at/all", "./gpt2", "a/../b", "a@../b", "a@", ""]) {
		const message = /--model .*: no such folder, expected a folder, a hub id .*demo, or random:small/;
		await t.throwsAsync(resolveModel(name), { code: "not-found", message });
	}
});

test("a random model is generated once and then reused; an unknown size is refused", async (t) => {
	const cacheDir = await temporaryFolder(t);
	const folder = join(cacheDir, "random-small-7");
	await mkdir(folder);
	t.is(await resolveModel("random:small", { cacheDir, seed: 7 }), folder);
	t.deepEqual(await readdir(folder), []);
	for (const size of ["tiny", "toString", ""]) {
		await t.throwsAsync(resolveModel(`random:${size}`, { cacheDir }), {
			code: "usage",
			message: `--model random:${size}: unknown size, expected random:small|medium|large|xl`,
		});
	}
});

test("downloads the files of a model and no others, into the cache's layout, and reports progress", async (t) => {
	const { hub, cacheDir, hash } = await hubWithModel(t);
	const { lines, progress, listener } = record();
	const folder = await resolveModel(REPO, { cacheDir, hubUrl: `${hub.url}/`, listener });
	t.is(folder, join(cacheDir, SNAPSHOT));
	t.is(await (await openModel(folder)).hash(), hash);
	t.deepEqual((await readdir(folder)).sort(), ["config.json", "model.safetensors"]);
	t.true((await lstat(join(folder, "model.safetensors"))).isSymbolicLink());
	t.regex(await readlink(join(folder, "model.safetensors")), /^\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/);
	t.regex(await readlink(join(folder, "config.json")), /^\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/);
	t.is(await readFile(join(cacheDir, "models--someone--tiny", "refs", "main"), "utf8"), COMMIT);
	const size = weightsOf(hub).length + (hub.files.get("config.json") as Buffer).length;
	t.deepEqual(lines, [`${REPO}: downloading ${formatBytes(size)} to ${join(cacheDir, "models--someone--tiny")}`]);
	t.deepEqual(progress.at(-1), [size, size]);
	t.true(progress.every(([done], i) => i === 0 || done >= (progress[i - 1]?.[0] ?? 0)));
});

test("reads the shape of a model; of a hub model only configuration and tokenizer are downloaded, once", async (t) => {
	const { hub, cacheDir } = await hubWithModel(t);
	const options = { cacheDir, hubUrl: hub.url };
	const { config } = await openModel(await resolveModel("demo"));
	t.deepEqual((await readModelShape("demo")).config, config);
	t.is((await readModelShape("random:large")).config.n_layer, 36);
	hub.files.set("tokenizer.json", Buffer.from("{}"));
	const shape = await readModelShape(REPO, options);
	t.deepEqual(await readdir(shape.folder ?? ""), ["config.json", "tokenizer.json"]);
	t.is(askedFor(hub, "model.safetensors").length, 0);
	hub.status = 500;
	t.deepEqual(await readModelShape(REPO, options), shape);
	// Another tool may have loaded only the configuration.
	await rm(join(shape.folder ?? "", "tokenizer.json"));
	t.deepEqual(await readModelShape(REPO, options), shape);
	hub.status = undefined;
	const configuration = hub.files.get("config.json") as Buffer;
	hub.files.delete("config.json");
	await t.throwsAsync(readModelShape(REPO, { ...options, cacheDir: await temporaryFolder(t) }), {
		code: "model",
		message: /: found tokenizer\.json, expected a GPT-2 with config\.json and model\.safetensors$/,
	});
	hub.files.set("config.json", configuration);
	const whole = await resolveModel(REPO, options);
	t.is((await openModel(whole)).config.n_embd, shape.config.n_embd);
});

test("uses a cached model without any request", async (t) => {
	const { hub, cacheDir } = await hubWithModel(t);
	const folder = await resolveModel(REPO, { cacheDir, hubUrl: hub.url });
	hub.requests.length = 0;
	t.is(await resolveModel(REPO, { cacheDir, hubUrl: hub.url }), folder);
	t.deepEqual(hub.requests, []);
});

test("follows the redirect of a short id, and reads a branch, a tag or a commit", async (t) => {
	const { hub, cacheDir, hash } = await hubWithModel(t);
	const options = { cacheDir, hubUrl: hub.url };
	const short = await resolveModel("tiny", options);
	t.is(short, join(cacheDir, "models--tiny", "snapshots", COMMIT));
	t.is(await (await openModel(short)).hash(), hash);
	t.is(await resolveModelName("tiny", short), `tiny@${COMMIT}`);
	const other = "fedcba9876543210fedcba9876543210fedcba98";
	hub.revisions.set("refs/pr/1", other);
	const snapshot = join(cacheDir, "models--someone--tiny", "snapshots", other);
	t.is(await resolveModel(`${REPO}@refs/pr/1`, options), snapshot);
	t.is(await readFile(join(cacheDir, "models--someone--tiny", "refs", "refs", "pr", "1"), "utf8"), other);
	hub.requests.length = 0;
	t.is(await resolveModelName(`${REPO}@refs/pr/1`, snapshot), `${REPO}@${other}`);
	t.is(await resolveModel(`${REPO}@${other}`, options), snapshot);
	t.deepEqual(hub.requests, []);
	// Without the cache, a commit needs no branch.
	hub.revisions.set("refs/pr/1", COMMIT).set("tag", other);
	const again = await resolveModel(`${REPO}@${other}`, { ...options, cacheDir: await temporaryFolder(t) });
	t.is(basename(again), other);
	t.deepEqual(
		hub.requests.filter(({ path }) => path.includes("/revision/")),
		[],
	);
});

test("of two processes that need the same model, one downloads and the other waits with a line", async (t) => {
	const { hub, cacheDir } = await hubWithModel(t);
	const { lines, listener } = record();
	const options = { cacheDir, hubUrl: hub.url };
	const locks = join(cacheDir, ".locks", "models--someone--tiny");
	await mkdir(locks, { recursive: true });
	// The lock of Hugging Face's own tools: they are awaited, too.
	const checksum = createHash("sha256").update(weightsOf(hub)).digest("hex");
	const lock = lockFile(join(locks, `${checksum}.lock`));
	const blob = join(cacheDir, BLOBS, checksum);
	const line = (text: string) => {
		listener.line(text);
		if (!text.includes("another process")) return;
		writeFileSync(blob, weightsOf(hub));
		closeSync(lock?.file ?? -1);
	};
	await openModel(await resolveModel(REPO, { ...options, listener: { ...listener, line } }));
	t.is(lines.at(-1), `${REPO}: another process downloads model.safetensors; waiting`);
	t.deepEqual(askedFor(hub, "model.safetensors"), []);
});

test("fetches a tokenizer that another tool didn't need; without the network uses the cached model", async (t) => {
	const { hub, cacheDir } = await hubWithModel(t);
	const options = { cacheDir, hubUrl: hub.url };
	const folder = await resolveModel(REPO, options);
	hub.files.set("vocab.json", Buffer.from("{}"));
	await rm(join(cacheDir, "models--someone--tiny", ".no_exist"), { recursive: true });
	t.is(await resolveModel(REPO, { ...options, hubUrl: "http://127.0.0.1:1" }), folder);
	t.is(await resolveModel(REPO, options), folder);
	t.is(await readFile(join(folder, "vocab.json"), "utf8"), "{}");
	t.is(askedFor(hub, "model.safetensors").length, 1);
});

test("downloads a sharded model by its index", async (t) => {
	const source = await openModel(await tinyModel(t));
	const folder = await temporaryFolder(t);
	const weight_map: Record<string, string> = {};
	const files: Record<string, Buffer> = { "config.json": await readFile(join(source.folder, "config.json")) };
	const names = [...source.tensors.keys()];
	for (const [shard, part] of [
		["model-00001-of-00002.safetensors", names.slice(0, 9)],
		["model-00002-of-00002.safetensors", names.slice(9)],
	] as const) {
		const shapeOf = (name: string) => source.tensors.get(name)?.shape ?? [];
		const tensors = part.map((name) => ({ name, shape: shapeOf(name), data: () => source.read(name) }));
		await writeSafetensors(join(folder, shard), tensors);
		files[shard] = await readFile(join(folder, shard));
		for (const name of part) weight_map[name] = shard;
	}
	files["model.safetensors.index.json"] = Buffer.from(JSON.stringify({ metadata: {}, weight_map }));
	const hub = await startFakeHub(t, files);
	const cacheDir = await temporaryFolder(t);
	const fetched = await resolveModel(REPO, { cacheDir, hubUrl: hub.url });
	t.is(await (await openModel(fetched)).hash(), await source.hash());
	hub.requests.length = 0;
	t.is(await resolveModel(REPO, { cacheDir, hubUrl: hub.url }), fetched);
	await rm(join(fetched, "model-00002-of-00002.safetensors"));
	t.deepEqual(hub.requests, []);
	await resolveModel(REPO, { cacheDir, hubUrl: hub.url });
	t.is(askedFor(hub, "model-00002-of-00002.safetensors").length, 0, "the content is still there");
	await openModel(fetched);
});

test("resumes a download after a broken connection", async (t) => {
	const { hub, cacheDir, hash } = await hubWithModel(t);
	hub.cuts = 1;
	hub.cutAfterBytes = 1_500_000;
	const folder = await resolveModel(REPO, { cacheDir, hubUrl: hub.url });
	t.is(await (await openModel(folder)).hash(), hash);
	const [first, second] = askedFor(hub, "model.safetensors");
	t.is(first?.range, undefined);
	const from = Number(/^bytes=(\d+)-$/.exec(second?.range ?? "")?.[1]);
	t.true(from > 0 && from <= 1_500_000);
});

test("resumes the download of an earlier, interrupted call", async (t) => {
	const { hub, cacheDir, hash } = await hubWithModel(t);
	hub.cuts = Number.POSITIVE_INFINITY;
	await t.throwsAsync(resolveModel(REPO, { cacheDir, hubUrl: hub.url }), { code: "offline" });
	const checksum = createHash("sha256").update(weightsOf(hub)).digest("hex");
	await writeFile(join(cacheDir, BLOBS, `${checksum}.incomplete`), weightsOf(hub).subarray(0, 1000));
	hub.cuts = 0;
	hub.requests.length = 0;
	const folder = await resolveModel(REPO, { cacheDir, hubUrl: hub.url });
	t.deepEqual(
		askedFor(hub, "model.safetensors").map(({ range }) => range),
		["bytes=1000-"],
	);
	t.is(askedFor(hub, "config.json").length, 0, "was whole already");
	t.is(await (await openModel(folder)).hash(), hash);
	t.deepEqual(await incompleteFiles(cacheDir), []);
});

test("refuses wrong bytes, removes them, and succeeds once they are right", async (t) => {
	const { hub, cacheDir, hash } = await hubWithModel(t);
	hub.corrupt = true;
	await t.throwsAsync(resolveModel(REPO, { cacheDir, hubUrl: hub.url }), {
		code: "checksum",
		message: /model\.safetensors: found [0-9a-f]{64}, expected [0-9a-f]{64}; removed, try again$/,
	});
	t.deepEqual(await readdir(join(cacheDir, "models--someone--tiny")), [".no_exist", "blobs"]);
	t.is((await readdir(join(cacheDir, BLOBS))).length, 1);
	hub.corrupt = false;
	t.is(await (await openModel(await resolveModel(REPO, { cacheDir, hubUrl: hub.url }))).hash(), hash);
});

test("reports that a model lacks the needed files", async (t) => {
	const { hub, cacheDir } = await hubWithModel(t);
	hub.files.delete("model.safetensors");
	await t.throwsAsync(resolveModel(REPO, { cacheDir, hubUrl: hub.url }), {
		code: "model",
		message:
			/^--model someone\/tiny: found config\.json, pytorch_model\.bin, expected .*model\.safetensors; to convert it, .* python -c /,
	});
});

test("reports that the hub can't be reached or fails, and what to use instead", async (t) => {
	const { hub, cacheDir } = await hubWithModel(t);
	hub.status = 503;
	const message = /answers with status 503; use --model demo or --model FOLDER instead$/;
	await t.throwsAsync(resolveModel(REPO, { cacheDir, hubUrl: hub.url }), { code: "offline", message });
	// Port 1 is privileged, and no program listens on it.
	await t.throwsAsync(resolveModel(REPO, { cacheDir, hubUrl: "http://127.0.0.1:1" }), {
		code: "offline",
		message: "--model someone/tiny: http://127.0.0.1:1 can't be reached; use --model demo or --model FOLDER instead",
	});
	t.deepEqual(await readdir(cacheDir), []);
});

test("stops waiting for a hub that never answers", async (t) => {
	const { hub, cacheDir } = await hubWithModel(t);
	hub.silent = true;
	await t.throwsAsync(resolveModel(REPO, { cacheDir, hubUrl: hub.url }), {
		code: "offline",
		message: /can't be reached/,
	});
});

test("stops when it is aborted, and keeps the bytes downloaded so far", async (t) => {
	const { hub, cacheDir } = await hubWithModel(t);
	const stop = new AbortController();
	const listener = { line: () => {}, download: () => (done: number) => void (done > 100_000 && stop.abort()) };
	await t.throwsAsync(resolveModel(REPO, { cacheDir, hubUrl: hub.url, listener, signal: stop.signal }), {
		code: "interrupted",
		message: /run again to continue/,
	});
	t.is((await incompleteFiles(cacheDir)).length, 1);
});
