import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { compareRuns } from "../../../coordinator/compare/compare-runs.ts";
import { type PredictionLine, writePredictions } from "../../../coordinator/run-folder/predictions.ts";
import { writeRunResult } from "../../../coordinator/run-folder/result-files.ts";
import { createRunFolder } from "../../../coordinator/run-folder/run-folder.ts";
import { comparisonLines } from "../../../coordinator/terminal/comparison-lines.ts";
import { resolveConfig } from "../../../shared/settings/resolve-config.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { sampleResult } from "../run-folder/sample-run.ts";

/** Makes the folder of a finished run. @param correct which lines of the file the model gets right; all are test texts */
async function finishedRun(
	t: ExecutionContext,
	settings: object,
	correct: Readonly<Record<number, boolean>>,
	label = "ham",
) {
	const out = join(await temporaryFolder(t), "run");
	const folder = await createRunFolder(await resolveConfig({ data: "texts.tsv", ...settings, out }));
	await writeRunResult(folder.path, sampleResult());
	const lines = Object.entries(correct).map(([line, isCorrect]) => toPrediction(line, isCorrect, label));
	await writePredictions(folder.path, [...lines, { ...toPrediction("99", true), set: "validation" }]);
	await folder.release();
	return folder.path;
}

function toPrediction(line: string, correct: boolean, label = "ham"): PredictionLine {
	const probabilities = { ham: 0.7, spam: 0.3 };
	return {
		set: "test",
		source: `texts.tsv:${line}`,
		label,
		predicted: correct ? label : "other",
		probabilities,
		correct,
		tokens: 3,
		cut: false,
	};
}

test("runs are compared by settings that differ, scores, and who is right on the test texts of both", async (t) => {
	const first = await finishedRun(
		t,
		{ lr: 0.001, threads: 1 },
		{ 1: true, 2: true, 3: true, 4: false, 5: false, 6: true },
	);
	const second = await finishedRun(
		t,
		{ lr: 0.002, loraRank: 4, threads: 2 },
		{ 1: true, 2: false, 3: true, 4: true, 5: false, 7: true },
	);
	const third = await finishedRun(t, { lr: 0.001, name: "third" }, { 99: true });
	const compared = await compareRuns([first, second, third]);
	// The same rows with the labels of another column.
	const other = await finishedRun(t, { lr: 0.001 }, { 1: true, 2: true }, "yes");
	t.is((await compareRuns([first, other])).pairs[0]?.shared, 0);
	t.deepEqual(compared.settings, [
		{ name: "loraRank", values: [8, 4, 8] },
		{ name: "lr", values: [0.001, 0.002, 0.001] },
	]);
	const none = { bothRight: 0, onlyFirst: 0, onlySecond: 0, bothWrong: 0, pValue: 1 };
	t.deepEqual(compared.pairs, [
		{ folder: second, shared: 5, bothRight: 2, onlyFirst: 1, onlySecond: 1, bothWrong: 1, pValue: 1 },
		{ folder: third, shared: 0, ...none },
	]);
	const { accuracy, macroF1, intervals, loss, texts, seconds, stepMs } = sampleResult();
	t.deepEqual(compared.runs[0], {
		...{ folder: first, accuracy: accuracy.test, loss: loss.test, texts: texts.test },
		...{ macroF1: macroF1.test, intervals: { accuracy: intervals.accuracy, macroF1: intervals.macroF1 } },
		...{ seconds: seconds.total, stepMs },
	});

	const lines = comparisonLines(compared);
	const rows = lines.filter((line) => line.startsWith("│")).map((line) => line.replaceAll(/ +/g, " "));
	t.true(rows.includes("│ lr │ 0.001 │ 0.002 │ 0.001 │"), rows.join("\n"));
	t.true(
		rows.includes("│ accuracy │ 98.6 % (96.6–99.5 %) │ 98.6 % (96.6–99.5 %) │ 98.6 % (96.6–99.5 %) │"),
		rows.join("\n"),
	);
	t.deepEqual(lines.slice(-3), [
		`${first} and ${second}, on 5 test texts of both: both right 2, only the first 1, only the second 1, both wrong 1`,
		"the difference may be chance: p = 1.0 (exact McNemar test)",
		`${first} and third have no test text in common`,
	]);
});

test("an unfinished run, and damaged predictions, are refused by name", async (t) => {
	const run = await finishedRun(t, {}, { 1: true });
	const missing = join(run, "nowhere");
	await t.throwsAsync(compareRuns([run, missing]), { code: "not-found", message: /nowhere: no run here/ });
	await writePredictions(run, [{ ...toPrediction("1", true), probabilities: { ham: 2 } }]);
	await t.throwsAsync(compareRuns([run, run]), {
		code: "data",
		message: /predictions\.jsonl line 1: probabilities\.ham: /,
	});
});
