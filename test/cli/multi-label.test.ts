import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { runResultSchema } from "../../coordinator/run-folder/result.ts";
import { newFolder } from "../new-folder.ts";
import { ENGINE, QUICK, tailtune } from "./tailtune.ts";

/** Texts about money, sport, both or none of them. */
function lines(): string[] {
	return Array.from({ length: 120 }, (_, i) => {
		const [money, sport] = [i % 2 === 0, i % 3 === 0];
		const labels = [...(money ? ["money"] : []), ...(sport ? ["sport"] : [])];
		const text = `${i} we met ${money ? "the bank pays cash prizes " : ""}${sport ? "football match team goal " : ""}today`;
		return JSON.stringify({ text, labels });
	});
}

const folder = await newFolder();
const [data, run] = [join(folder, "texts.jsonl"), join(folder, "run")];
const readJson = async (...path: string[]) => JSON.parse(await readFile(join(run, ...path), "utf8"));
const linesOf = (stdout: string) =>
	stdout
		.trim()
		.split("\n")
		.map((line) => JSON.parse(line));

test.before(async () => {
	await writeFile(data, `${lines().join("\n")}\n`);
	const flags = ["--data", data, "--label-column", "labels", "--multi-label", "--dedupe", "none", "--out", run];
	const { exitCode: code, stderr } = await tailtune(
		"train",
		...flags,
		...QUICK,
		...ENGINE,
		"--epochs",
		"4",
		"--batch",
		"4",
	);
	if (code !== 0) throw new Error(stderr);
});

test.serial("--multi-label: a run leaves scores per label, thresholds, and a model for transformers", async (t) => {
	const result = runResultSchema.parse(await readJson("result.json"));
	t.deepEqual(result.labels, ["money", "sport"]);
	t.deepEqual(result.confusion, []);
	t.is(result.kept.metric, "macro-f1");
	t.true((result.multiLabel?.microF1.test ?? 0) > 0.8, JSON.stringify(result.multiLabel));
	t.true(result.macroF1.test > 0.8);
	t.deepEqual(
		result.classes.map(({ label, read, unused }) => [label, read, unused]),
		[
			["money", 60, 0],
			["sport", 40, 0],
		],
	);
	t.is((await readJson("model", "config.json")).problem_type, "multi_label_classification");
	const { thresholds, foldedTemperature } = await readJson("model", "tailtune.json");
	t.deepEqual(thresholds, result.thresholds);
	t.deepEqual(thresholds, result.bestThresholds);
	t.deepEqual([foldedTemperature, result.calibration], [1, undefined]);
	const predictions = linesOf(await readFile(join(run, "predictions.jsonl"), "utf8"));
	t.deepEqual([...new Set(predictions.map(({ label }) => label))].sort(), ["", "money", "money|sport", "sport"]);
	const test = predictions.filter((line) => line.set === "test");
	t.is(test.filter(({ correct }) => correct).length / test.length, result.accuracy.test);
	t.regex(await readFile(join(run, "report.html"), "utf8"), /any number of labels/);
});

test.serial("--multi-label: evaluate gives the scores of the run, and classify a list of labels", async (t) => {
	const result = runResultSchema.parse(await readJson("result.json"));
	const predictions = linesOf(await readFile(join(run, "predictions.jsonl"), "utf8"));
	const rows = predictions
		.filter(({ set }) => set === "test")
		.map(({ source }) => lines()[Number(source.split(":").at(-1)) - 1]);
	const own = join(folder, "test.jsonl");
	await writeFile(own, `${rows.join("\n")}\n`);
	const flags = ["--threads", "1", ...ENGINE, "--json"];
	const evaluated = await tailtune("evaluate", run, "--data", own, "--label-column", "labels", ...flags);
	const evaluation = linesOf(evaluated.stdout).find(({ event }) => event === "evaluation");
	t.is(evaluation.accuracy, result.accuracy.test);
	t.is(evaluation.microF1, result.multiLabel?.microF1.test);
	t.is(evaluation.macroF1, result.macroF1.test);
	t.deepEqual(evaluation.confusion, []);

	const texts = ["the bank pays cash prizes, football match team goal", "we met today"];
	const classified = await tailtune("classify", run, ...texts, ...flags);
	for (const { label, labels, probabilities } of linesOf(classified.stdout).filter((line) => "probabilities" in line)) {
		const expected = result.labels.filter((name, i) => probabilities[name] >= (result.thresholds[i] ?? 2));
		t.deepEqual(labels, expected);
		t.is(label, expected.join("|"));
	}
	const plain = await tailtune("classify", run, ...texts, "--threads", "1", ...ENGINE);
	t.regex(plain.stdout, /^money\|sport +\d+\.\d % {2}the bank/m);
});

const refused = [
	[
		"balancing",
		["--balance", "undersample"],
		'--balance: found "undersample", expected none or weights with --multi-label',
	],
	["MCC", ["--metric", "mcc"], "--metric: found mcc, expected another score with --multi-label"],
] as const;

for (const [what, flags, message] of refused) {
	test.serial(`--multi-label with ${what} is refused`, async (t) => {
		const { exitCode: code, stderr } = await tailtune(
			...["train", "--data", data, "--label-column", "labels", "--multi-label", ...QUICK, ...flags],
			...["--out", join(folder, "refused")],
		);
		t.is(code, 2);
		t.is(stderr, `tailtune: ${message}`);
	});
}
