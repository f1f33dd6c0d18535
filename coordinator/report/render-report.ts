import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { formatCount, nameOfPath } from "../format.ts";
import type { MetricsLine, RunResult } from "../run-folder/result.ts";
import type { TestDetails } from "../run-folder/test-details.ts";
import { calibrationSection } from "./calibration-section.ts";
import { classSection } from "./class-section.ts";
import { costSection } from "./cost-section.ts";
import { curvePoints } from "./curve-points.ts";
import { curvesSection } from "./curves-section.ts";
import { dataSection } from "./data-section.ts";
import { headlineSection } from "./headline-section.ts";
import { Html, type HtmlValue, html, jsonScript } from "./html.ts";
import { runSection, settingsSection } from "./settings-section.ts";
import { shortLabel } from "./short-label.ts";
import { textsSection } from "./texts-section.ts";
import { thinMetrics } from "./thin-metrics.ts";
import { thresholdSection } from "./threshold-section.ts";

const require = createRequire(import.meta.url);

const SCRIPTS = ["curve-chart.js", "charts.js", "report.js"];

/** Maximum number of labels named in the title. */
const NAMED_LABELS = 3;

const TRAINED: Readonly<Record<TrainConfig["trainable"], string>> = {
	head: "the classification head only",
	"last-block": "the last block, the final norm and the head",
	"last-two-blocks": "the last two blocks, the final norm and the head",
	all: "the whole model",
	lora: "LoRA pairs in every linear layer, and the head",
	"lora-only": "LoRA pairs in every linear layer",
};

/**
 * Renders the report of a run: one page that needs no other file and no network.
 * @param allMetrics lines of metrics.jsonl; may be empty
 * @param details of the test set; default: without the sections that need them
 */
export function renderReport(
	result: RunResult,
	allMetrics: readonly MetricsLine[],
	config: TrainConfig,
	details?: TestDetails,
): string {
	const metrics = thinMetrics(allMetrics);
	const script = [readPackageFile("uPlot.iife.min.js"), ...SCRIPTS.map(readPageFile)].join("");
	const style = readPackageFile("uPlot.min.css") + readPageFile("style.css") + readPageFile("report.css");
	const title = config.name ?? titleOf(result.labels);
	return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy(script)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title}: a Tailtune report</title>
<style>${new Html(style)}</style>
</head>
<body>
<main>
<header><p class="eyebrow">Tailtune report</p><h1><bdi>${title}</bdi></h1>${lead(result, config)}</header>
${resultSections(result, details)}
${runSections(result, metrics, config)}
</main>
<footer>Made by Tailtune ${result.versions.tailtune} on <time datetime="${result.finishedAt}">${result.finishedAt.slice(0, 10)}</time>.</footer>
${jsonScript("chart-data", curvePoints(metrics))}
<script>${new Html(script)}</script>
</body>
</html>
`.text;
}

/** Renders the quality of the model. */
function resultSections(result: RunResult, details: TestDetails | undefined): HtmlValue {
	return [
		headlineSection(result),
		classSection(result, details?.mistakes),
		details && thresholdSection(details, result.texts.test),
		calibrationSection(result),
		details && textsSection(details),
	];
}

/** Renders how the model was trained. */
function runSections(result: RunResult, metrics: readonly MetricsLine[], config: TrainConfig): HtmlValue {
	return [
		curvesSection(metrics, result.stopped),
		dataSection(result),
		costSection(result),
		settingsSection(config),
		runSection(result),
	];
}

function titleOf(labels: readonly string[]): string {
	if (labels.length > NAMED_LABELS) return `Classifier for ${labels.length} classes`;
	const names = labels.map(shortLabel);
	return `Classifier for ${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function lead({ texts }: RunResult, config: TrainConfig): Html {
	const data = basename(config.data ?? config.train ?? "");
	const preset = config.preset && html` with the preset <strong>${config.preset}</strong>`;
	return html`<p class="lead"><strong>${basename(nameOfPath(config.model))}</strong> tuned on <strong>${formatCount(texts.train)}</strong>
texts of <strong>${data}</strong>${preset}. Trained: ${TRAINED[config.trainable]}.</p>`;
}

// The page can send no request, and runs only this script, whatever a label contains.
function contentPolicy(script: string): string {
	const hash = createHash("sha256").update(script).digest("base64");
	return `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-${hash}'`;
}

function readPackageFile(name: string): string {
	return readText(require.resolve(`uplot/dist/${name}`));
}

function readPageFile(name: string): string {
	return readText(new URL(`page/${name}`, import.meta.url));
}

// A browser reads every line end as \n before it compares the script with the policy's hash.
function readText(file: string | URL): string {
	return readFileSync(file, "utf8").replaceAll("\r\n", "\n");
}
