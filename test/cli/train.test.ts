import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { parse } from "csv-parse/sync";
import { formatSeconds } from "../../coordinator/format.ts";
import { predictionLineSchema } from "../../coordinator/run-folder/predictions.ts";
import { readAudit, readMetrics, readRunResult } from "../../coordinator/run-folder/result-files.ts";
import { newFolder } from "../new-folder.ts";
import { QUICK, start, tailtune, waitForFile, writeTexts } from "./tailtune.ts";

const modelHash = async (run: string) =>
	createHash("sha256")
		.update(await readFile(join(run, "model", "model.safetensors")))
		.digest("hex");

const quickRun = async (data: string, out: string, ...flags: string[]) =>
	tailtune("train", "--data", data, "--out", out, ...QUICK, ...flags);

test.serial("a run writes the whole result folder and prints its scores", async (t) => {
	const out = join(await newFolder(), "run");
	const data = await writeTexts(60);
	const { exitCode, stdout, stderr } = await quickRun(data, out);
	t.is(exitCode, 0, stderr);
	t.deepEqual((await readdir(out)).sort(), [
		"audit.jsonl",
		"config.json",
		"metrics.jsonl",
		"model",
		"predictions.jsonl",
		"report.html",
		"result.json",
		"test-details.json",
	]);
	const tokenizer = ["tokenizer.json", "tokenizer_config.json", "vocab.json"];
	const files = ["config.json", "merges.txt", "model.safetensors", "tailtune.json", ...tokenizer];
	t.deepEqual((await readdir(join(out, "model"))).sort(), files);
	const result = await readRunResult(out);
	t.deepEqual(result.labels, ["ham", "spam"]);
	t.true(result.accuracy.test > result.majorityBaseline.accuracy);
	t.is(result.trunk.texts, result.texts.distinct, "the trunk runs once per text");
	t.deepEqual(
		(await readMetrics(out)).filter(({ kind }) => kind === "epoch").map(({ epoch }) => epoch),
		[1, 2],
	);
	t.deepEqual(result.data.files, [{ file: data, format: "TSV, UTF-8", texts: 120 }]);
	t.true(
		result.data.tokens.median <= result.data.tokens.longest && result.data.tokens.longest <= result.data.tokens.limit,
	);
	t.regex(stdout, /accuracy/);
	for (const phase of ["features", "training"] as const) {
		const [, time] = new RegExp(`^${phase} .* in (.+) \\(`, "m").exec(stdout) ?? [];
		t.is(time, formatSeconds(result.seconds[phase]), `the seconds of result.json, ${phase}`);
	}
	await checkPredictions(t, out);
});

/** Checks that predictions.jsonl has each validation and test text once, and the numbers of result.json. */
async function checkPredictions(t: ExecutionContext, run: string): Promise<void> {
	const lines = (await readFile(join(run, "predictions.jsonl"), "utf8")).trimEnd().split("\n");
	const predictions = lines.map((line) => predictionLineSchema.parse(JSON.parse(line)));
	const { accuracy, texts, labels, confusion } = await readRunResult(run);
	t.is(new Set(predictions.map(({ source }) => source)).size, texts.validation + texts.test);
	for (const set of ["validation", "test"] as const) {
		const own = predictions.filter((line) => line.set === set);
		t.is(own.length, texts[set]);
		t.is(own.filter(({ correct }) => correct).length / own.length, accuracy[set]);
	}
	const test = predictions.filter(({ set }) => set === "test");
	const count = (row: string, column: string) =>
		test.filter(({ label, predicted }) => label === row && predicted === column).length;
	t.deepEqual(
		labels.map((row) => labels.map((column) => count(row, column))),
		confusion,
	);
	for (const { label, predicted, correct, probabilities } of predictions) {
		t.is(correct, label === predicted);
		t.is(probabilities[predicted], Math.max(...Object.values(probabilities)));
	}
}

test.serial(
	"training continues from a tuned model's head if the labels have the same names; otherwise it prints why not",
	async (t) => {
		const data = await writeTexts(60);
		const folder = await newFolder();
		await quickRun(data, join(folder, "first"));
		const base = ["--model", join(folder, "first", "model"), "--lr", "1e-9"];
		const renamed = join(folder, "renamed.tsv");
		await writeFile(renamed, (await readFile(data, "utf8")).replaceAll(/^ham\t/gm, "zham\t"));
		const [same, other] = [
			await quickRun(data, join(folder, "same"), ...base),
			await quickRun(renamed, join(folder, "other"), ...base),
		];
		t.regex(same.stdout, /the model's head has the same labels as the data: training continues from it/);
		t.regex(
			other.stdout,
			/the model's head has the labels "ham", "spam", not those of the data: training starts with a new head/,
		);
		const [first, again] = [await readRunResult(join(folder, "first")), await readRunResult(join(folder, "same"))];
		t.deepEqual(again.accuracy, first.accuracy);
	},
);

test.serial("classify and evaluate use the weights that a run kept", async (t) => {
	const data = await writeTexts(60);
	const out = join(await newFolder(), "run");
	await quickRun(data, out);
	const { stdout } = await tailtune(
		"classify",
		out,
		"WIN 3 FREE prizes now!!! claim",
		"see you at 3 tomorrow, please",
		"--json",
	);
	const [lines, end] = splitEnd(stdout);
	t.like(end, { event: "classified", out: null, rows: 2, bad: 0 });
	t.deepEqual(
		lines.map(({ event, source, label }) => `${event} of ${source}: ${label}`),
		["classification of text 1: spam", "classification of text 2: ham"],
	);
	for (const { probability, probabilities, label, truncated } of lines) {
		t.deepEqual(Object.keys(probabilities), ["ham", "spam"]);
		t.is(probabilities[label], probability);
		t.true(Math.abs(probabilities.ham + probabilities.spam - 1) < 1e-9);
		t.false(truncated);
	}
	const running = start(["classify", out, "-", "--max-tokens", "2", "--long", "cut", "--skip-bad", "--json"]);
	running.stdin?.end("WIN 3 FREE prizes\r\n\r\nsee you\r");
	const [fromInput, endOfInput] = splitEnd(String((await running).stdout));
	t.deepEqual(
		fromInput.map(({ source, label, tokens, truncated }) => [source, label !== null, tokens, truncated]),
		[
			["standard input:1", true, 2, true],
			["standard input:2", false, 0, false],
			["standard input:3", true, 2, false],
		],
	);
	t.like(endOfInput, { rows: 3, cut: 1, maxTokens: 2, bad: 1, errors: ["standard input:2: the text is empty"] });
	const evaluated = await tailtune("evaluate", out, "--data", data, "--json");
	t.is(evaluated.exitCode, 0, evaluated.stderr);
	t.like(JSON.parse(evaluated.stdout.split("\n").at(-1) ?? ""), { event: "evaluation", texts: 120 });
	await checkTables(t, out, data, JSON.parse(evaluated.stdout.split("\n").at(-1) ?? "").accuracy);
});

/** Returns the lines of a JSON output, and its last line. */
function splitEnd(output: string) {
	const lines = output.split("\n").map((line) => JSON.parse(line));
	return [lines.slice(0, -1), lines.at(-1)] as const;
}

/** Checks the tables that `classify --out` and `evaluate --out` write for labelled texts. */
async function checkTables(t: ExecutionContext, run: string, data: string, accuracy: number): Promise<void> {
	const folder = await newFolder();
	const [csv, jsonl] = [join(folder, "a.csv"), join(folder, "b.jsonl")];
	const classified = await tailtune("classify", run, "--file", data, "--out", csv);
	t.is(classified.exitCode, 0, classified.stderr);
	t.regex(classified.stdout, /^wrote .*a\.csv: 120 rows$/m);
	t.is((await tailtune("evaluate", run, "--data", data, "--out", jsonl)).exitCode, 0);
	const [header, ...rows]: string[][] = parse(await readFile(csv, "utf8"));
	const probabilities = ["predicted_probability_ham", "predicted_probability_spam"];
	t.deepEqual(header, ["label", "text", "predicted_label", ...probabilities, "predicted_tokens", "predicted_cut"]);
	t.is(rows.map(([label, text]) => `${label}\t${text}\n`).join(""), await readFile(data, "utf8"));
	const evaluated = (await readFile(jsonl, "utf8")).trimEnd().split("\n");
	const { length } = evaluated.filter((line, index) => {
		const { source, label, correct, predicted, probabilities: shares } = JSON.parse(line);
		t.is(source, `${data}:${index + 1}`);
		t.is(correct, label === predicted);
		t.is(rows[index]?.[2], predicted);
		t.is(rows[index]?.[3], String(shares.ham));
		return correct;
	});
	t.is(length / 120, accuracy);
}

for (const trainable of ["head", "last-two-blocks"]) {
	test.serial(`a model tuned on int8 features is evaluated on them by default, ${trainable}`, async (t) => {
		const data = await writeTexts(20);
		const out = join(await newFolder(), "run");
		const sets = ["--train", data, "--validation", data, "--test", data];
		const flags = [...sets, "--trainable", trainable, "--trunk-precision", "int8", "--lr", "1e-4"];
		const run = await tailtune("train", "--out", out, ...QUICK.filter((_, i) => ![6, 7].includes(i)), ...flags);
		t.is(run.exitCode, 0, run.stderr);
		const lossOf = async (...precision: string[]) => {
			const { stdout, stderr } = await tailtune("evaluate", out, "--data", data, "--json", ...precision);
			t.is(stderr, "");
			return (JSON.parse(stdout.split("\n").at(-1) ?? "") as { loss: number }).loss;
		};
		const { loss } = await readRunResult(out);
		const off = async (...precision: string[]) => Math.abs((await lossOf(...precision)) - loss.test);
		const [sameAsTuned, other] = [await off(), await off("--trunk-precision", "fp32")];
		t.true(sameAsTuned < 1e-6, `loss off by ${sameAsTuned}`);
		t.true(other > 1e-5, `loss off by ${other}`);
	});
}

test.serial(
	"a run on windows of its texts scores whole texts, as evaluate does, also from stored features",
	async (t) => {
		const data = await writeTexts(30);
		const folder = await newFolder();
		const sets = ["--train", data, "--validation", data, "--test", data, "--max-tokens", "8", "--long", "windows"];
		const quick = QUICK.filter((flag) => flag !== "--feature-cache" && flag !== "0");
		const runs = [join(folder, "first"), join(folder, "again")] as const;
		for (const run of runs) {
			const { exitCode, stderr, stdout } = await tailtune("train", "--out", run, ...quick, ...sets);
			t.is(exitCode, 0, stderr);
			t.regex(stdout, /180 texts are read in \d+ windows of at most 8 tokens/);
		}
		const [result, again] = await Promise.all(runs.map((run) => readRunResult(run)));
		t.is(again?.trunk.texts, 0, "the second run reads the features of all windows from the cache");
		t.is(await modelHash(runs[0]), await modelHash(runs[1]));
		t.is(result?.texts.test, 60);
		t.true((result?.windows.test ?? 0) > 60);
		t.deepEqual(result?.cut, { train: 0, validation: 0, test: 0 });
		const predictions = (await readFile(join(runs[0], "predictions.jsonl"), "utf8")).trimEnd().split("\n");
		t.is(predictions.length, 120);
		t.true(predictions.some((line) => JSON.parse(line).tokens > 8));
		const evaluated = await tailtune("evaluate", runs[0], "--data", data, "--json");
		const { loss, accuracy, cut, texts } = JSON.parse(evaluated.stdout.split("\n").at(-1) ?? "");
		t.deepEqual([texts, cut, accuracy], [60, 0, result?.accuracy.test]);
		t.true(Math.abs(loss - (result?.loss.test ?? 0)) < 1e-6, `${loss}, the run has ${result?.loss.test}`);
	},
);

/** Flags of a run that lasts long enough to be stopped after its first checkpoint. */
const RESUMABLE = ["--checkpoint-every", "3", "--epochs", "10", "--eval-every", "20"];

let made: Promise<{ data: string; uninterrupted: string }> | undefined;

/** Makes texts and a run on them, once for all tests. */
function resumable() {
	made ??= (async () => {
		const data = await writeTexts(80);
		const uninterrupted = join(await newFolder(), "uninterrupted");
		const { exitCode, stderr } = await quickRun(data, uninterrupted, ...RESUMABLE);
		if (exitCode !== 0) throw new Error(stderr);
		return { data, uninterrupted };
	})();
	return made;
}

test.serial("a run that is killed and resumed ends with the same bytes as an uninterrupted run", async (t) => {
	const { data, uninterrupted } = await resumable();
	const killed = join(await newFolder(), "killed");
	await mkdir(killed);
	const running = start(["train", "--data", data, "--out", killed, ...QUICK, ...RESUMABLE]);
	await waitForFile(killed, "checkpoint.safetensors");
	running.kill("SIGKILL");
	await running;
	t.false(existsSync(join(killed, "result.json")), "the run had ended before it was killed");
	// Temporary files, as left by a process that is killed while it writes.
	await writeFile(join(killed, ".checkpoint.safetensors.123-0a1b2c3d.tmp"), "half");
	await mkdir(join(killed, ".model.123-0a1b2c3d.tmp"));
	const resumed = await tailtune("train", "--resume", killed);
	t.is(resumed.exitCode, 0, resumed.stderr);
	t.is(await modelHash(killed), await modelHash(uninterrupted));
	t.deepEqual((await readdir(killed)).sort(), (await readdir(uninterrupted)).sort());
	const withoutSeconds = async (run: string) => (await readMetrics(run)).map((line) => ({ ...line, seconds: 0 }));
	t.deepEqual(await withoutSeconds(killed), await withoutSeconds(uninterrupted));
	const predictions = (run: string) => readFile(join(run, "predictions.jsonl"), "utf8");
	t.is(await predictions(killed), await predictions(uninterrupted));
	const audits = await Promise.all([killed, uninterrupted].map(async (run) => (await readRunResult(run)).audit));
	const [ofKilled, ofUninterrupted] = audits.map(({ workers, ...rest }) => {
		const answers = Object.values(workers);
		return { ...rest, processes: answers.length, answers: answers.reduce((sum, count) => sum + count, 0) };
	});
	t.deepEqual(ofKilled, { ...ofUninterrupted, processes: 2 });
	const steps = (await readAudit(killed)).map(({ step }) => step);
	t.deepEqual(
		steps,
		Array.from({ length: (await readRunResult(killed)).audit.steps }, (_, index) => index + 1),
	);
});

test.serial("Ctrl-C ends cleanly and prints how to resume, and the resumed run gives the same bytes", async (t) => {
	const { data, uninterrupted } = await resumable();
	const interrupted = join(await newFolder(), "interrupted");
	await mkdir(interrupted);
	const running = start(["train", "--data", data, "--out", interrupted, ...QUICK, ...RESUMABLE]);
	await waitForFile(interrupted, "checkpoint.safetensors");
	running.kill("SIGINT");
	const { exitCode, stderr } = await running;
	t.is(exitCode, 130);
	t.is(String(stderr).trim(), `tailtune: stopped; to resume: npx tailtune train --resume ${interrupted}`);
	t.is((await tailtune("train", "--resume", interrupted)).exitCode, 0);
	t.is(await modelHash(interrupted), await modelHash(uninterrupted));
});

test.serial(
	"a run that reads the features of an earlier run from disk gives the same bytes as a run that computes them",
	async (t) => {
		const data = await writeTexts(60);
		const folder = await newFolder();
		const cached = ["--feature-cache", "1GiB"];
		const flags = { computed: [], first: [...cached, "--lr", "1e-4"], second: cached };
		for (const [name, own] of Object.entries(flags)) {
			const { exitCode, stderr } = await quickRun(data, join(folder, name), ...own);
			t.is(exitCode, 0, stderr);
		}
		const trunkTexts = async (name: string) => (await readRunResult(join(folder, name))).trunk.texts;
		t.true((await trunkTexts("first")) > 0);
		t.is(await trunkTexts("second"), 0);
		t.is(await modelHash(join(folder, "second")), await modelHash(join(folder, "computed")));
	},
);

test.serial("a run with a given number of shards is reproducible", async (t) => {
	const data = await writeTexts(40);
	const folder = await newFolder();
	const hashes = [];
	for (const name of ["a", "b"]) {
		t.is((await quickRun(data, join(folder, name), "--shards", "4")).exitCode, 0);
		hashes.push(await modelHash(join(folder, name)));
	}
	t.is(hashes[0], hashes[1]);
});
