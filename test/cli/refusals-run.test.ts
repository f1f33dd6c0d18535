import { once } from "node:events";
import { existsSync } from "node:fs";
import { appendFile, cp, mkdir, readFile, truncate, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { execa } from "execa";
import { COMMIT_OID, startUploadHub } from "../coordinator/hub/upload-hub.ts";
import { assertRefused, contents, removeFolder, workFolder } from "./refusals.ts";
import { COMMAND, callHere, QUICK, sampleTexts, start, waitForFile } from "./tailtune.ts";

const folder = await workFolder();
const train = (data: string, out: string, ...flags: string[]) => [
	"train",
	"--data",
	data,
	"--out",
	out,
	...QUICK,
	...flags,
];

test.before(async () => {
	await writeFile(join(folder, "texts.tsv"), sampleTexts(40));
	await writeFile(join(folder, "eggs.tsv"), "ham\tsee you\neggs\twin\n");
	await writeFile(join(folder, "latin1.txt"), Buffer.from("see you\ncaf\xe9\n", "latin1"));
	const { exitCode, stderr } = await start(train("texts.tsv", "finished"), {}, folder);
	if (exitCode !== 0) throw new Error(`the run for the tests failed: ${stderr}`);
});

test.after.always(() => removeFolder(folder));

const refused: [title: string, args: readonly string[], exitCode: 1 | 2, message: string][] = [
	[
		"a result folder that isn't empty",
		train("texts.tsv", "finished"),
		2,
		`--out ${folder}/finished: the folder holds audit.jsonl already; expected a new or empty one`,
	],
	[
		"a result folder that is a file",
		train("texts.tsv", "eggs.tsv"),
		1,
		`--out ${folder}/eggs.tsv: can't be written: a file has that name`,
	],
	[
		"a result folder inside a file",
		train("texts.tsv", "eggs.tsv/run"),
		1,
		`--out ${folder}/eggs.tsv/run: can't be written: a part of this path is a file, not a folder`,
	],
	[
		"to resume a folder that doesn't exist",
		["train", "--resume", "none"],
		1,
		"none: no run here (none/config.json doesn't exist)",
	],
	["to resume a folder that isn't a run", ["train", "--resume", "."], 1, ".: no run here (config.json doesn't exist)"],
	[
		"to resume a finished run",
		["train", "--resume", "finished"],
		2,
		"--resume finished: the run is finished (finished/result.json is there)",
	],
	[
		"settings together with --resume",
		["train", "--resume", "finished", "--epochs", "3"],
		2,
		"--resume: can't be combined with --epochs; a resumed run keeps its settings",
	],
	[
		"to classify with a folder that isn't a run",
		["classify", "none", "hello"],
		1,
		"none: no finished run here (none/model/tailtune.json doesn't exist)",
	],
	["to classify an empty text", ["classify", "finished", "hello", " "], 1, "text 2: the text is empty"],
	[
		"to classify bytes that aren't UTF-8",
		["classify", "finished", "--file", "latin1.txt"],
		1,
		"latin1.txt:2: found bytes that aren't UTF-8, expected UTF-8, or --encoding latin1 for a file in ISO 8859-1 or Windows-1252",
	],
	[
		"to evaluate a label that the model doesn't know",
		["evaluate", "finished", "--data", "eggs.tsv"],
		1,
		'eggs.tsv:2: label "eggs", expected one of ham, spam',
	],
];

for (const [title, args, exitCode, message] of refused) {
	test.serial(`refuses ${title}`, (t) => assertRefused(t, folder, args, { exitCode, message }));
}

test.serial("a learning rate that makes the first step diverge is refused, and no files are left", (t) =>
	assertRefused(t, folder, [...train("texts.tsv", "diverged"), "--lr", "1e30"], {
		exitCode: 1,
		message: /^tailtune: step 1: .* aren't finite: training diverged; try a smaller --lr$/,
		begins: true,
	}),
);

test.serial(
	"a run that diverges keeps its last good checkpoint, and ends with the same error if resumed",
	async (t) => {
		const args = [...train("texts.tsv", "overflow"), "--lr", "1e4", "--checkpoint-every", "1"];
		const first = await start(args, {}, folder);
		t.is(first.exitCode, 1);
		t.regex(String(first.stderr), /^tailtune: step [2-9]: .* aren't finite: training diverged; try a smaller --lr$/);
		t.true(existsSync(join(folder, "overflow", "checkpoint.safetensors")));
		await assertRefused(t, folder, ["train", "--resume", "overflow"], {
			exitCode: 1,
			message: String(first.stderr).replace("tailtune: ", ""),
			begins: true,
		});
	},
);

test.serial("a run in use is refused; resuming a stopped run reports what has changed", async (t) => {
	await cp(join(folder, "texts.tsv"), join(folder, "changing.tsv"));
	await mkdir(join(folder, "busy"));
	const running = start(train("changing.tsv", "busy", "--epochs", "1000", "--checkpoint-every", "5"), {}, folder);
	await waitForFile(join(folder, "busy"), "checkpoint.safetensors");
	const inUse = `process ${running.pid} on ${hostname()}; wait until it ends, or stop it`;
	for (const [args, run] of [
		[["train", "--resume", "busy"], "busy"],
		[train("changing.tsv", "busy"), join(folder, "busy")],
	] as const) {
		const { exitCode, stdout, stderr } = await start(args, {}, folder);
		t.is(String(stderr), `tailtune: ${run}: in use by ${inUse}`);
		t.is(exitCode, 1);
		t.is(String(stdout), "");
	}
	running.kill("SIGINT");
	const { exitCode, stderr } = await running;
	t.is(exitCode, 130);
	t.is(String(stderr), `tailtune: stopped; to resume: npx tailtune train --resume ${folder}/busy`);

	const unfinished = "busy: no finished run here (busy/model/tailtune.json doesn't exist)";
	await assertRefused(t, folder, ["classify", "busy", "hello"], { exitCode: 1, message: unfinished });
	await appendFile(join(folder, "changing.tsv"), "ham\tone more\nspam\tONE more\n");
	const resume = ["train", "--resume", "busy"];
	await assertRefused(t, folder, resume, {
		exitCode: 1,
		message: `${folder}/busy: the data changed since this run began; start a new run`,
		begins: true,
	});
	await truncate(join(folder, "busy", "checkpoint.safetensors"), 100_000);
	await assertRefused(t, folder, resume, {
		exitCode: 1,
		message:
			/^tailtune: .*\/busy\/checkpoint\.safetensors: tensor "\w+": found its end at byte \d+, expected at most 100000/,
		begins: true,
	});
	await writeFile(join(folder, "busy", "config.json"), '{ "epoch": 3 }');
	await assertRefused(t, folder, resume, { exitCode: 2, message: "busy/config.json: epoch: unknown setting" });
});

for (const [phase, held, signal] of [
	["data are read", "texts.tsv", "SIGTERM"],
	["a model is read", "model.safetensors", "SIGINT"],
] as const) {
	test.serial(`${signal} while ${phase} ends a run at once, and no files are left`, async (t) => {
		const hold = fileURLToPath(new URL("../hold-file.mjs", import.meta.url));
		// A copy of the demo model, because the file of the original is read earlier for another reason.
		await cp(new URL("../../coordinator/base-model/demo-model", import.meta.url), join(folder, "demo-copy"), {
			recursive: true,
		});
		const args = ["train", "--data", "texts.tsv", "--model", "demo-copy", "--out", "held"];
		const running = start(args, { NODE_OPTIONS: `--import=${hold}`, HELD_FILE: held }, folder);
		await once(running.stderr, "data");
		running.kill(signal);
		t.is((await running).signal, signal);
		t.false(existsSync(join(folder, "held")));
	});
}

test.serial("Ctrl-C while features are computed ends with exit code 130 and one line", async (t) => {
	await writeFile(join(folder, "many.tsv"), sampleTexts(400));
	const running = start([...train("many.tsv", "features"), "--json"], {}, folder);
	let output = "";
	for await (const line of running) {
		output += line;
		if (line.includes('"event":"phase","name":"features"')) running.kill("SIGINT");
	}
	const { exitCode, stderr } = await running;
	t.is(exitCode, 130);
	const message = `stopped; to resume: npx tailtune train --resume ${folder}/features`;
	t.deepEqual(JSON.parse(String(stderr)), { error: { code: "interrupted", message } });
	t.false(output.includes('"name":"training"'));
	t.deepEqual(Object.keys(await contents(join(folder, "features"))), ["config.json"]);
});

test.serial("a run continues if the reader of its output ends, as head does", async (t) => {
	const running = start(train("texts.tsv", "unread"), {}, folder);
	await once(running.stdout, "data");
	running.stdout.destroy();
	const { exitCode, stderr } = await running;
	t.is(String(stderr), "");
	t.is(exitCode, 0);
	t.true(existsSync(join(folder, "unread", "result.json")));
});

test.serial("push uploads a run's model and prints the address; --dry-run only lists its files", async (t) => {
	const hub = await startUploadHub(t);
	const variables = { HF_ENDPOINT: hub.url, HF_HOME: folder, HF_TOKEN: "" };
	const push = (env: Record<string, string>, ...flags: string[]) =>
		callHere(["push", "finished", "me/spam", ...flags], { ...variables, ...env }, folder);
	const before = await contents(join(folder, "finished"));
	const listed = await push({}, "--dry-run");
	t.is(listed.stderr, "");
	t.regex(
		listed.stdout,
		/^(.*\n)*config\.json {2}.* B\n(.*\n)*model\.safetensors {2}.* MiB\n(.*\n)*\d+ files, .* MiB$/,
	);
	const refused = await push({});
	t.is(refused.exitCode, 1);
	t.is(
		refused.stderr,
		`tailtune: push: found no token; set HF_TOKEN to one with write access (${hub.url}/settings/tokens), or use hf auth login`,
	);
	t.deepEqual(hub.requests, []);
	const { stdout, stderr } = await push({ HF_TOKEN: "hf_secret" }, "--private", "--json");
	t.is(stderr, "");
	const { files, ...result } = JSON.parse(stdout.split("\n").at(-1) ?? "");
	t.deepEqual(result, { event: "push", url: `${hub.url}/me/spam`, commit: COMMIT_OID });
	t.deepEqual(
		files,
		[...hub.files].map(([path, content]) => ({ path, bytes: content.length })),
	);
	const weights = await readFile(join(folder, "finished", "model", "model.safetensors"));
	t.true(hub.files.get("model.safetensors")?.equals(weights));
	t.regex(hub.files.get("README.md")?.toString() ?? "", /^---\n/);
	t.true(hub.repository?.isPrivate);
	t.deepEqual(await contents(join(folder, "finished")), before);
});

/** Log lines of TensorFlow and Dawn that can't be switched off. */
const LIBRARY_LOG =
	/^(WARNING: All log messages before absl::|I0000 .*oneDNN|Warning: vkCreateInstance| {4}at CheckVkSuccessImpl ).*\n*/gm;

function withoutLibraryLog(stderr: string): string {
	return stderr.replaceAll(LIBRARY_LOG, "");
}

for (const args of [
	["doctor"],
	["export", "finished", "--format", "safetensors", "--out", "exported", "--json"],
	["classify", "finished", "hello"],
]) {
	test.serial(`${args.join(" ")} succeeds if the reader of its output ends before the first line`, async (t) => {
		const running = start(args, {}, folder);
		running.stdout.destroy();
		const { exitCode, stderr } = await running;
		t.is(withoutLibraryLog(String(stderr)), "");
		t.is(exitCode, 0);
	});
}

(existsSync("/dev/full") ? test.serial : test.serial.skip)(
	"an error in writing the output is reported in one line",
	async (t) => {
		const args = ["-c", 'exec "$@" > /dev/full', "sh", process.execPath, COMMAND, "classify", "finished", "hello"];
		const { exitCode, stderr } = await execa("sh", args, { reject: false, cwd: folder });
		t.is(withoutLibraryLog(stderr), "tailtune: stdout: can't be written: no space is left on the disk");
		t.is(exitCode, 1);
	},
);
