import type { TrainConfig } from "../../shared/settings/config.ts";
import { formatCount, shortNameOf } from "../format.ts";
import type { MetricsLine, RunResult } from "../run-folder/result.ts";
import type { TestDetails } from "../run-folder/test-details.ts";
import { shortLabel } from "../short-label.js";
import { calibrationSection } from "./calibration-section.ts";
import { classSection } from "./class-section.ts";
import { costSection } from "./cost-section.ts";
import { curvePoints } from "./curve-points.ts";
import { curvesSection } from "./curves-section.ts";
import { dataSection } from "./data-section.ts";
import { headlineSection } from "./headline-section.ts";
import { type Html, type HtmlValue, html, jsonScript } from "./html.ts";
import { readPageFile, readPlotFile, renderPage } from "./page-frame.ts";
import { runSection, settingsSection } from "./settings-section.ts";
import { textsSection } from "./texts-section.ts";
import { thinMetrics } from "./thin-metrics.ts";
import { thresholdSection } from "./threshold-section.ts";

const SCRIPTS = ["../../format-numbers.js", "curve-chart.js", "charts.js", "report.js"];

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
	const script = [readPlotFile("uPlot.iife.min.js"), ...SCRIPTS.map(readPageFile)].join("");
	const style = readPlotFile("uPlot.min.css") + readPageFile("style.css") + readPageFile("report.css");
	const title = config.name ?? titleOf(result.labels);
	return renderPage({
		title,
		eyebrow: "Tailtune report",
		lead: lead(result, config),
		sections: [resultSections(result, details), runSections(result, metrics, config)],
		footer: madeBy(result),
		style,
		data: jsonScript("chart-data", curvePoints(metrics)),
		script,
	});
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
	const data = shortNameOf(config.data ?? config.train ?? "");
	const preset = config.preset && html` with the preset <strong>${config.preset}</strong>`;
	return html`<p class="lead"><strong>${shortNameOf(config.model)}</strong> tuned on <strong>${formatCount(texts.train)}</strong>
texts of <strong>${data}</strong>${preset}. Trained: ${TRAINED[config.trainable]}.</p>`;
}

/** Renders the version and the date. */
export function madeBy({ versions, finishedAt }: Pick<RunResult, "versions" | "finishedAt">): Html {
	return html`Made by Tailtune ${versions.tailtune} on <time datetime="${finishedAt}">${finishedAt.slice(0, 10)}</time>.`;
}
