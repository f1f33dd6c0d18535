import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { chartData } from "../../../coordinator/report/chart-data.ts";
import { renderReport } from "../../../coordinator/report/render-report.ts";
import { writeReport } from "../../../coordinator/report/write-report.ts";
import { appendMetrics, METRICS_FILE, writeRunResult } from "../../../coordinator/run-folder/result-files.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { defaultConfig } from "../../../shared/settings/resolve-config.ts";
import { sampleLine, sampleMetrics, sampleResult } from "../run-folder/sample-run.ts";

const HOSTILE = '</script><b onload="x">&lt;\u0000';
const config = { ...defaultConfig(), data: "some/folder/sms.tsv", lr: 0.001 };

/** Returns the page without scripts and styles. */
function bodyOf(page: string): string {
	return page.slice(page.indexOf("<main>"), page.indexOf("</footer>"));
}

/** Returns the visible text of the page, on one line. */
function textOf(page: string): string {
	return bodyOf(page)
		.replaceAll(/<[^>]*>/g, " ")
		.replaceAll(/\s+/g, " ");
}

test("the report names the trained model and its data, the accuracy and the baseline", (t) => {
	const text = textOf(renderReport(sampleResult(), sampleMetrics(), config));
	for (const part of [
		"Classifier for ham and spam",
		"gpt2 tuned on 1,045 texts of sms.tsv",
		"Trained: the last block, the final norm and the head",
		"98.6 % of 294 test texts. With this number of texts, the accuracy on similar texts is 96.6–99.5 % (95 % confidence",
		"Macro F1 98.6 % (",
		"MCC 0.973 (0.9",
		"average precision ROC AUC texts ham 98.0 % 94.2–99.3 % 99.3 % 96.2–99.9 % 98.6 %",
		"always answering “ ham ” would reach 49.3 %",
		"A logistic regression on words (TF-IDF) reaches accuracy 96.0 %, macro F1 94.0 % on the test texts.",
		"12 of the 294 test texts (4.1 %) also occur in training",
		"Epoch kept (best macro F1) 4",
		"read training validation test not used ham 747 500 75 149 23 spam 747 500 75 149 0",
		"Not used: --balance keeps as many texts of each class as the smallest class has.",
		"Texts cut to the limit 4",
		"135 texts per second",
		"the peak memory was 1.3 GiB",
		"divided by the temperature 1.234, fitted on the validation set",
		"is 2.1 %; without the temperature it is 4.5 %",
		"mean probability right texts 98.5 % 98.6 % 294",
		"--lr 0.001",
		"Trunk computed by onnx cpu",
		"npx tailtune train --data sms-spam --lr 0.001",
		"Made by Tailtune 0.1.0 on 2026-03-14",
	]) {
		t.true(text.includes(part), part);
	}
});

test("the report counts repeats if there are any", (t) => {
	const { classes, ...result } = sampleResult();
	const repeated = classes.map((of, i) => ({ ...of, repeats: i * 60 }));
	const text = textOf(renderReport({ ...result, classes: repeated }, sampleMetrics(), config));
	t.true(text.includes("test not used repeats ham 747 500 75 149 23 0 spam 747 500 75 149 0 60"));
});

test("the confusion matrix and the scores are tables with a header for every row and column", (t) => {
	const page = bodyOf(renderReport(sampleResult(), sampleMetrics(), config));
	const [matrix = "", scores = ""] = page.split("<caption>").slice(1);
	for (const label of ["ham", "spam"]) {
		t.true(matrix.includes(`<th scope="col"><bdi>${label}</bdi></th>`));
		t.true(matrix.includes(`<th scope="row"><bdi>${label}</bdi></th>`));
		t.true(scores.includes(`<th scope="row"><bdi>${label}</bdi></th>`));
	}
	t.deepEqual(
		[...matrix.matchAll(/<td class="(\w+)"[^>]*><b>(\d+)<\/b>/g)].map(([, kind, n]) => [kind, n]),
		[
			["right", "145"],
			["wrong", "1"],
			["wrong", "3"],
			["right", "145"],
		],
	);
});

test("settings that differ from the default are highlighted", (t) => {
	const page = bodyOf(renderReport(sampleResult(), [], config));
	const changed = [...page.matchAll(/<div class="changed"><dt>([^<]*)/g)].map(([, flag]) => flag);
	t.deepEqual(changed, ["--data", "--lr"]);
});

test("an undefined score is shown as a dash", (t) => {
	const result = sampleResult();
	const page = renderReport(
		{ ...result, perClass: result.perClass.map((score) => ({ ...score, precision: null, precisionInterval: null })) },
		[],
		config,
	);
	t.true(bodyOf(page).includes("<td>–</td><td>99.3 % <small>96.2–99.9 %</small></td>"));
});

test("text from the data never becomes markup, in the page or in the script's data", (t) => {
	const clean = renderReport(sampleResult(["a", "b"]), sampleMetrics(), config);
	const page = renderReport(sampleResult([HOSTILE, "b"]), sampleMetrics(), { ...config, data: `x/${HOSTILE}` });
	const tags = (of: string) => of.match(/<\/?(script|b|style|main)\b/g);
	t.deepEqual(tags(page), tags(clean));
	t.true(page.includes("&#60;/script&#62;&#60;b onload=&#34;x&#34;&#62;&#38;lt;"));
});

test("the page needs no other file, and its policy allows none", (t) => {
	const page = renderReport(sampleResult(), sampleMetrics(), config);
	t.notRegex(bodyOf(page), /(src|href|action)=|url\(|@import/);
	t.regex(page, /Content-Security-Policy" content="default-src &#39;none&#39;; /);
	t.regex(page, /^<!doctype html>\n<html lang="en">/);
	t.is(page.match(/<h1>/g)?.length, 1);
	t.true(page.includes("<title>Classifier for ham and spam: a Tailtune report</title>"));
});

test("many classes, or no evaluation, still give a page", (t) => {
	const labels = Array.from({ length: 77 }, (_, i) => `class ${i}`);
	const text = textOf(renderReport(sampleResult(labels), [], config));
	t.true(text.includes("Classifier for 77 classes") && text.includes("No evaluation was recorded."));
	t.true(textOf(renderReport(sampleResult(["a", "b", "c"]), [], config)).includes("Classifier for a, b and c"));
});

test("a chart has one series per set and kind of evaluation, with null at points without a value", (t) => {
	const metrics = [sampleLine("epoch", 130), sampleLine("step", 50)];
	const { examplesSeen, epochs, series } = chartData(metrics, "loss");
	t.deepEqual(examplesSeen, [400, 1040]);
	t.deepEqual(epochs, [{ epoch: 1, examplesSeen: 1040 }]);
	t.deepEqual(
		series.map(({ set, kind, values }) => [set, kind, ...values]),
		[
			["train", "step", metrics[1]?.train.loss, null],
			["validation", "step", metrics[1]?.validation.loss, null],
			["train", "epoch", null, metrics[0]?.train.loss],
			["validation", "epoch", null, metrics[0]?.validation.loss],
		],
	);
	t.deepEqual(
		chartData([sampleLine("epoch", 130)], "accuracy").series.map(({ kind }) => kind),
		["epoch", "epoch"],
	);
});

test("a report is written from the files of a run folder, but not before the run is finished", async (t) => {
	const folder = await mkdtemp(join(tmpdir(), "report-"));
	try {
		await writeFile(join(folder, "config.json"), JSON.stringify(config));
		const metrics = sampleMetrics();
		for (const line of metrics) await appendMetrics(join(folder, METRICS_FILE), line);
		await t.throwsAsync(writeReport(folder), { instanceOf: TailtuneError, message: /no finished run here/ });
		await writeRunResult(folder, sampleResult());
		await writeReport(folder);
		t.is(await readFile(join(folder, "report.html"), "utf8"), renderReport(sampleResult(), metrics, config));
	} finally {
		await rm(folder, { recursive: true });
	}
});
