import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import type { TrialResult } from "../../../coordinator/events/sweep-schema.ts";
import { curvePoints } from "../../../coordinator/report/curve-points.ts";
import { renderReport } from "../../../coordinator/report/render-report.ts";
import { curvesOfSettings } from "../../../coordinator/report/sweep-curves.ts";
import { thinMetrics } from "../../../coordinator/report/thin-metrics.ts";
import { writeReport } from "../../../coordinator/report/write-report.ts";
import type { MetricsLine, RunResult } from "../../../coordinator/run-folder/result.ts";
import { appendMetrics, METRICS_FILE, writeRunResult } from "../../../coordinator/run-folder/result-files.ts";
import { type TestDetails, writeTestDetails } from "../../../coordinator/run-folder/test-details.ts";
import { rankSettings } from "../../../coordinator/sweep/rank-settings.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { defaultConfig } from "../../../shared/settings/resolve-config.ts";
import { sampleDetails, sampleText } from "../run-folder/sample-details.ts";
import { sampleLine, sampleMetrics, sampleResult } from "../run-folder/sample-run.ts";
import { sampleSweep } from "../sweep/sample-sweep.ts";

const HOSTILE = '</script><b onload="x">&lt;\u0000';
/** Most bytes of a report. */
const LARGEST_PAGE = 4 << 20;
const config = { ...defaultConfig(), data: "some/folder/sms.tsv", lr: 0.001 };

/** Makes a result with the largest confusion matrix, a text in every cell, and labels of hostile length. */
function largestResult(): RunResult {
	const { perClass, classes, ...result } = sampleResult();
	const labels = Array.from({ length: 120 }, (_, i) => `${i} ${"<".repeat(2000)}`);
	return {
		...result,
		labels,
		confusion: labels.map(() => labels.map(() => 1234)),
		perClass: labels.flatMap((label) => perClass.slice(0, 1).map((of) => ({ ...of, label }))),
		classes: labels.flatMap((label) => classes.slice(0, 1).map((of) => ({ ...of, label }))),
	};
}

/** Makes details with as many curves and texts of hostile length as a run writes. */
function largestDetails(labels: readonly string[]): TestDetails {
	const points: TestDetails["curves"][number]["points"] = Array.from({ length: 100 }, (_, i) => [
		1 / (3 + i),
		1e5,
		1e5,
	]);
	const text = (length: number) => (pair: number) => ({
		...sampleText([labels[0] ?? "", labels[1 + (pair % 40)] ?? ""], 0),
		pieces: [{ text: "<".repeat(length) }],
	});
	const numbers = Array.from({ length: 200 }, (_, i) => i);
	return {
		curves: labels.slice(0, 100).map((label) => ({ label, texts: 1e5, start: 0.5, points })),
		mistakes: [...numbers.slice(0, 10).map(text(2000)), ...numbers.slice(10).map(text(400))],
		uncertain: numbers.slice(0, 10).map(text(2000)),
	};
}

/** Returns the page without scripts and styles. */
function bodyOf(page: string): string {
	return page.slice(page.indexOf("<main>"), page.indexOf("</footer>"));
}

/** Returns the visible text of the page, on one line. */
function textOf(page: string): string {
	return bodyOf(page)
		.replaceAll(/<[^>]*>/g, " ")
		.replaceAll(/[ \t\n]+/g, " ");
}

test("the report names the trained model and its data, the accuracy and the baseline", (t) => {
	const text = textOf(renderReport(sampleResult(), sampleMetrics(), config));
	for (const part of [
		"Classifier for ham and spam",
		"gpt2 tuned on 1,045 texts of sms.tsv",
		"Trained: the last block, the final norm and the head",
		"98.6 % of 294 test texts. With this number of texts, the accuracy on similar texts is 96.6–99.5 % (95 % confidence",
		"Macro F1 98.6 % 97.",
		"MCC 0.973 0.9",
		"average precision ROC AUC best threshold texts ham 98.0 % 94.2–99.3 % 99.3 % 96.2–99.9 % 98.6 %",
		"method accuracy macro F1 Tuned model 98.6 % 98.6 % Logistic regression on words (TF-IDF) 96.0 % 94.0 % Always “ ham ” 49.3 % –",
		"The tuned model beats both baselines: a logistic regression on words reaches 96.0\u00a0%, which is below the interval.",
		"spam predicted as ham 3 2.0 % ham predicted as spam 1 0.7 %",
		"12 of the 294 test texts (4.1 %) also occur in training",
		"Epoch kept (best macro F1) 4",
		"read training validation test not used ham 747 500 75 149 23 spam 747 500 75 149 0",
		"Not used: --balance keeps as many texts of each class as the smallest class has.",
		"file format texts /data/sms.tsv TSV, UTF-8 1,494",
		"Distinct texts 1,377 Texts equal to others 24 Tokens of a text (median) 21 95 % of texts have up to 47",
		"Tokens of the longest text 120 limit 120 Texts cut to the limit 4",
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

test("workers and traffic of a cluster are shown, but not those of one process", (t) => {
	const traffic = { sent: 3 << 20, received: 5 << 10 };
	const text = textOf(renderReport({ ...sampleResult(), traffic }, [], config));
	t.true(text.includes("worker results used share vm-1 900 69.2 % vm-2 400 30.8 %"));
	t.true(text.includes("The coordinator sent 3.0 MiB and received 5.0 KiB over gRPC and NATS."));
	t.false(textOf(renderReport(sampleResult(), [], config)).includes("NATS"));
});

test("the report counts repeats if there are any", (t) => {
	const { classes, ...result } = sampleResult();
	const repeated = classes.map((of, i) => ({ ...of, repeats: i * 60 }));
	const text = textOf(renderReport({ ...result, classes: repeated }, sampleMetrics(), config));
	t.true(text.includes("test not used repeats ham 747 500 75 149 23 0 spam 747 500 75 149 0 60"));
});

test("the confusion matrix and the scores are tables with a header for every row and column", (t) => {
	const page = bodyOf(renderReport(sampleResult(), sampleMetrics(), config));
	const [scores = "", matrix = ""] = page.slice(page.indexOf("<caption>Precision")).split("<caption>").slice(1);
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

test("settings that differ from the default come first, the others are folded away", (t) => {
	const text = textOf(renderReport(sampleResult(), [], config));
	t.true(
		text.includes(
			"Different from the default --data some/folder/sms.tsv --lr 0.001 All other settings have their default",
		),
	);
	t.regex(text, /have their default.* --epochs 5 /);
});

test("one sentence says whether the model is better than the baselines", (t) => {
	const { intervals, accuracy, wordBaseline, ...rest } = sampleResult();
	const verdict = (test: number, words: number | null) => {
		const baseline = words === null || !wordBaseline ? null : { ...wordBaseline, accuracy: words };
		const result = { ...rest, accuracy: { ...accuracy, test }, wordBaseline: baseline };
		const page = renderReport(
			{ ...result, intervals: { ...intervals, accuracy: [test - 0.02, test + 0.02] } },
			[],
			config,
		);
		return /<p class="verdict">([^<]*)/.exec(page)?.[1]?.replaceAll("\u00a0", " ");
	};
	const words = "a logistic regression on words reaches 95.0 %";
	t.is(verdict(0.98, 0.95), `The tuned model beats both baselines: ${words}, which is below the interval.`);
	t.is(
		verdict(0.96, 0.95),
		`The tuned model is ahead of both baselines, but perhaps by chance: ${words}, which is inside the interval.`,
	);
	t.is(verdict(0.95, 0.95), `The tuned model doesn’t beat the better baseline: ${words}.`);
	const always = "always answering the most frequent label reaches 49.3 %";
	t.is(verdict(0.96, null), `The tuned model beats the baseline: ${always}, which is below the interval.`);
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

test("texts of the test set are shown with probabilities and the words that mattered, and open below their confusion", (t) => {
	const details = sampleDetails(["ham", "spam"]);
	const page = renderReport(sampleResult(), sampleMetrics(), config, details);
	const text = textOf(page);
	for (const part of [
		"Worst mistakes Please claim your prize before dinner tonight ham predicted as spam spam 99.0 % · ham 1.0 % sms.tsv:1",
		"spam , percentage points without: prize −40.0, dinner +10.0",
		"Most uncertain Please claim your prize before dinner tonight…",
		"Class ham spam Threshold",
	])
		t.true(text.includes(part), part);
	t.true(page.includes('before <mark class="against" style="--share:0.25">dinner</mark> tonight'));
	t.regex(page, /id="pair-0-1">(?:(?!<\/details>)[\s\S])*sms\.tsv:7/);
	t.true(
		textOf(renderReport(sampleResult(), [], config, { ...details, mistakes: [] })).includes("was predicted right"),
	);
	t.false(textOf(renderReport(sampleResult(), [], config)).includes("Worst mistakes"));
});

test("text from the data never becomes markup, in the page or in the script's data", (t) => {
	const render = (name: string) => {
		const { curves, mistakes, uncertain } = sampleDetails([name, "b"]);
		const hostile = mistakes.map((of) => ({
			...of,
			source: name,
			pieces: [{ text: name, change: 0.5 }, { text: name }],
		}));
		const details = { curves, mistakes: hostile, uncertain };
		return renderReport(sampleResult([name, "b"]), sampleMetrics(), { ...config, data: `x/${name}` }, details);
	};
	const [clean, page] = [render("a"), render(HOSTILE)];
	const tags = (of: string) => of.match(/<\/?(script|b|style|main|mark)\b/g);
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

test("no evaluation, three classes, and the largest run give a page of bounded size", (t) => {
	const text = textOf(renderReport(sampleResult(["a", "b", "c"]), [], config));
	t.true(text.includes("Classifier for a, b and c") && text.includes("No evaluation was recorded."));
	const result = largestResult();
	const page = renderReport(result, sampleMetrics(100, 5000), config, largestDetails(result.labels));
	t.true(page.length < LARGEST_PAGE, `${page.length}`);
	t.true(page.includes("Classifier for 120 classes") && page.includes("Confusion matrix of all 120 classes"));
});

test("curves of many evaluations are thinned, but keep their extremes and the ends of epochs", (t) => {
	const lines = sampleMetrics(100, 5000);
	const thin = thinMetrics(lines);
	t.true(lines.length > 9000 && thin.length <= 800);
	const extremes = (of: readonly MetricsLine[]) => {
		const losses = of.flatMap(({ train, validation }) => [train.loss, validation.loss]);
		return [Math.min(...losses), Math.max(...losses)];
	};
	t.deepEqual(extremes(thin), extremes(lines));
	t.is(thin.filter(({ kind }) => kind === "epoch").length, 100);
	t.deepEqual(
		thin,
		lines.filter((line) => thin.includes(line)),
	);
	t.is(thinMetrics(lines.slice(0, 800)).length, 800);
});

test("there is one curve per set, kind of evaluation and measure, in the order of the texts", (t) => {
	const metrics = [sampleLine("epoch", 260), sampleLine("step", 50), sampleLine("epoch", 130)];
	const curves = curvePoints(metrics);
	t.is(Object.keys(curves).length, 9);
	t.deepEqual(
		curves.epochs?.map(([texts, , epoch]) => [texts, epoch]),
		[
			[1040, 1],
			[2080, 2],
		],
	);
	const ends = [metrics[2], metrics[0]] as MetricsLine[];
	t.deepEqual(
		curves["validation epoch accuracy"],
		ends.map(({ examplesSeen, seconds, validation }) => [examplesSeen, seconds, validation.accuracy]),
	);
	t.deepEqual(curves["train step loss"]?.[0]?.[0], 400);
	t.is(Object.keys(curvePoints([sampleLine("epoch", 130)])).length, 5);
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
		const report = () => readFile(join(folder, "report.html"), "utf8");
		t.is(await report(), renderReport(sampleResult(), metrics, config));
		await writeTestDetails(folder, sampleDetails(["ham", "spam"]));
		await writeReport(folder);
		t.is(await report(), renderReport(sampleResult(), metrics, config, sampleDetails(["ham", "spam"])));
	} finally {
		await rm(folder, { recursive: true });
	}
});

test("the best settings of a sweep and the one that is trained now have curves, the others are counted", (t) => {
	const sample = sampleSweep();
	const trials = Array.from({ length: 14 }, (_, i): TrialResult => {
		const ended = { folder: `trial-${i + 1}`, values: { lr: i + 1 }, seed: 123, score: 0.9 - i / 100, seconds: 1 };
		return i < 13 ? { ...ended, state: "finished" } : { ...ended, state: "waiting", score: null, seconds: null };
	});
	const state = { ...sample, trials, ranking: rankSettings({ trials, halving: null }, "macro-f1") };
	const curves = trials.map(({ folder }) => ({ folder, points: [{ epoch: 1, score: 0.5 }] }));
	const view = { state, metric: "macro-f1", curves, running: ["trial-14"], linkOf: () => undefined } as const;
	const { text = "" } = curvesOfSettings(view) ?? {};
	t.deepEqual(
		[...text.matchAll(/lr (\d+)/g)].map(([, lr]) => Number(lr)),
		[14, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
	);
	t.true(text.includes("Settings left out: 2."));
});
