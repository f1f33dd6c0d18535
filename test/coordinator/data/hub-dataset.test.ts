import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { fetchHubDataset } from "../../../coordinator/data/hub-dataset.ts";
import { chooseHubFiles, parseHubName } from "../../../coordinator/data/hub-name.ts";
import { loadDataset } from "../../../coordinator/data/load-dataset.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { loadInputs } from "../../../coordinator/training/run-inputs.ts";
import { resolveConfig } from "../../../shared/settings/resolve-config.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { COMMIT, REPO, startFakeHub } from "../base-model/fake-hub.ts";

const NAME = `hub:${REPO}`;
const PARQUET = await readFile(new URL("./parquet/snappy.parquet", import.meta.url));

const VARIABLES = ["HF_TOKEN", "HF_ENDPOINT", "HF_HUB_CACHE", "HF_HOME", "HF_HUB_OFFLINE"] as const;
function unset() {
	for (const name of VARIABLES) delete process.env[name];
	// A folder without a token.
	process.env.HF_HOME = "/nonexistent";
}
unset();
test.afterEach.always(unset);

async function setUp(t: ExecutionContext) {
	const hub = await startFakeHub(t, {
		"README.md": Buffer.from("# texts"),
		"data/train-00000-of-00002.parquet": PARQUET,
		"data/train-00001-of-00002.parquet": PARQUET,
		"data/test-00000-of-00001.parquet": PARQUET,
		"../evil.parquet": PARQUET,
		"more/texts.csv": Buffer.from("label,text\na,b\n"),
	});
	return { hub, cacheDir: await temporaryFolder(t) };
}

const snapshot = (cacheDir: string, path: string) =>
	join(cacheDir, "datasets--someone--tiny", "snapshots", COMMIT, path);

test.serial("a data set of the hub is read like a file, and later from the cache without the network", async (t) => {
	const { hub, cacheDir } = await setUp(t);
	process.env.HF_ENDPOINT = hub.url;
	process.env.HF_HUB_CACHE = cacheDir;
	const dataset = await loadDataset(NAME, {});
	t.deepEqual(dataset.labels, ["neg", "pos"]);
	t.is(dataset.resolvedName, `${NAME}@${COMMIT}`);
	t.deepEqual(
		dataset.examples.map(({ source }) => source),
		[0, 1].flatMap((file) =>
			[1, 2, 3].map((row) => `${snapshot(cacheDir, `data/train-0000${file}-of-00002.parquet`)}:${row}`),
		),
	);
	t.is((await loadDataset(`${NAME}:more/texts.csv`, {})).examples[0]?.text, "b");
	t.deepEqual(
		hub.requests.filter(({ path }) => path.includes("resolve") && !path.includes("train-") && !path.includes("texts")),
		[],
	);
	const before = hub.requests.length;
	process.env.HF_HUB_OFFLINE = "1";
	t.deepEqual(await loadDataset(NAME, {}), dataset);
	t.is(hub.requests.length, before);
	await t.throwsAsync(loadDataset("hub:someone/else", {}), {
		code: "offline",
		message: /^hub:someone\/else: HF_HUB_OFFLINE is set and it isn't in the cache \(.*\); run once without it$/,
	});
	t.is(hub.requests.length, before);
});

test.serial(
	"a run keeps the commits of its data sets, so that it reads the same texts when it is resumed",
	async (t) => {
		const { hub, cacheDir } = await setUp(t);
		hub.files.set("more/texts.csv", Buffer.from(`label,text\n${"a,b\nc,d\n".repeat(20)}`));
		Object.assign(process.env, { HF_ENDPOINT: hub.url, HF_HUB_CACHE: cacheDir });
		const options = { events: new RunEvents(), interrupt: new AbortController().signal };
		const read = async (data: string) => loadInputs(await resolveConfig({ data, model: "demo" }), options);
		const { config, fingerprint } = await read(`${NAME}:more/texts.csv`);
		t.is(config.data, `${NAME}@${COMMIT}:more/texts.csv`);
		// As another tool does after a push to the hub.
		const branch = join(cacheDir, "datasets--someone--tiny", "refs", "main");
		t.is(await readFile(branch, "utf8"), COMMIT);
		await writeFile(branch, COMMIT.replaceAll("0", "f"));
		t.is((await read(config.data ?? "")).fingerprint, fingerprint);
	},
);

test.serial("a data set of which a part was downloaded isn't taken as complete", async (t) => {
	const { hub, cacheDir } = await setUp(t);
	hub.files
		.set("data/dev-0.csv", Buffer.from("label,text\na,b\n"))
		.set("data/dev-1.csv", Buffer.from("label,text\nc,d\n"));
	const options = { cacheDir, hubUrl: hub.url };
	await fetchHubDataset(`${NAME}:test`, options);
	const stop = new AbortController();
	const listener = { line: () => {}, download: () => () => stop.abort() };
	const stopped = fetchHubDataset(`${NAME}:dev`, { ...options, listener, signal: stop.signal });
	await t.throwsAsync(stopped, { code: "interrupted", message: `${NAME}:dev: stopped; run again to continue` });
	process.env.HF_HUB_OFFLINE = "1";
	await t.throwsAsync(fetchHubDataset(`${NAME}:dev`, options), { code: "data", message: /found no files of "dev"/ });
	process.env.HF_HUB_OFFLINE = "0";
	t.is((await fetchHubDataset(`${NAME}:dev`, options)).files.length, 2);
});

test("a revision in the cache keeps its commit, and files that are there aren't downloaded again", async (t) => {
	const { hub, cacheDir } = await setUp(t);
	const options = { cacheDir, hubUrl: hub.url };
	const found = await fetchHubDataset(`${NAME}:test`, options);
	const { files } = found;
	t.deepEqual(files, [snapshot(cacheDir, "data/test-00000-of-00001.parquet")]);
	t.is(found.resolvedName, `${NAME}@${COMMIT}:test`);
	t.deepEqual(await readFile(files[0] ?? ""), PARQUET);
	hub.requests.length = 0;
	const listener = { line: (text: string) => t.fail(text), download: (name: string) => t.fail(name) as never };
	t.deepEqual(await fetchHubDataset(`${NAME}:test`, { ...options, listener }), found);
	t.deepEqual(await fetchHubDataset(`${NAME}@${COMMIT}:test`, options), found);
	const tree = `/api/datasets/${REPO}/tree/${COMMIT}`;
	t.deepEqual(
		hub.requests.map(({ path }) => path),
		[tree, tree],
	);
});

test("a hub without the data set, without an answer or with damaged files is told", async (t) => {
	const { hub, cacheDir } = await setUp(t);
	const options = { cacheDir, hubUrl: hub.url };
	await t.throwsAsync(fetchHubDataset("hub:someone/else", options), {
		code: "not-found",
		message: "hub:someone/else: no hub data set of that name (or a private or gated one: set HF_TOKEN)",
	});
	hub.corrupt = true;
	await t.throwsAsync(fetchHubDataset(NAME, options), { code: "checksum" });
	hub.status = 503;
	const advice = "download it elsewhere and use --data FILE, or HF_HUB_OFFLINE=1 if it is in the cache";
	await t.throwsAsync(fetchHubDataset(NAME, options), {
		code: "offline",
		message: `${NAME}: ${hub.url} answers with status 503; ${advice}`,
	});
});

test("names of the hub are read, or refused with the forms that there are", (t) => {
	const name = "hub:owner/na-me.1@refs/convert/parquet:data/train.csv";
	t.deepEqual(parseHubName(name), {
		name,
		repo: "owner/na-me.1",
		revision: "refs/convert/parquet",
		part: "data/train.csv",
	});
	t.like(parseHubName("hub:a/b"), { revision: "main", part: undefined });
	for (const wrong of ["hub:", "hub:a", "hub:a/b/c", "hub:a/..", "hub:a/b@../x", "hub:a/b@", "hub:a/b:"])
		t.throws(() => parseHubName(wrong), { code: "usage", message: /^--data: found .*, expected hub:OWNER\/NAME, / });
});

test("the files of a split are chosen; several kinds of files are refused with their names", (t) => {
	const choose = (name: string, ...paths: string[]) => chooseHubFiles(parseHubName(name), paths);
	t.deepEqual(choose("hub:a/b", "v1.0.test.csv", "v1.0.train.csv"), ["v1.0.train.csv"]);
	t.deepEqual(
		choose("hub:a/b:validation", "x/train/1.jsonl.gz", "x/validation/2.jsonl.gz", "x/validation/1.jsonl.gz"),
		["x/validation/1.jsonl.gz", "x/validation/2.jsonl.gz"],
	);
	t.deepEqual(choose("hub:a/b", "texts.csv", "dataset_infos.json", ".cache/train.json", "README.md"), ["texts.csv"]);
	t.deepEqual(choose("hub:a/b:b.csv", "a.csv", "b.csv"), ["b.csv"]);
	const advice = "name a split or a file after a colon";
	t.throws(() => choose("hub:a/b", "x/train.csv", "y/train.csv"), {
		code: "data",
		message: `hub:a/b: found files of several kinds or folders: x/train.csv, y/train.csv; ${advice}`,
	});
	t.throws(() => choose("hub:a/b:dev", "train.csv"), {
		message: `hub:a/b:dev: found no files of "dev": train.csv; ${advice}`,
	});
	t.throws(() => choose("hub:a/b", "script.py"), {
		message: `hub:a/b: found no files of "train": no .parquet, .csv, .tsv or .json files; ${advice}`,
	});
});
