import { isAbsolute, relative } from "node:path";
import Table from "cli-table3";
import { printable } from "../../shared/printable.ts";
import { describeWordBaseline } from "../baseline/describe-baseline.ts";
import { nameSome, shortName } from "../data/name-some.ts";
import {
	formatCorrelation,
	formatCorrelationInterval,
	formatCount,
	formatLoss,
	formatPercent,
	formatSeconds,
	formatShareInterval,
	shellWord,
} from "../format.ts";
import { METRIC_NAMES } from "../metrics/best-score.ts";
import type { MetricsLine, RunResult } from "../run-folder/result.ts";
import { classTable } from "./class-table.ts";
import { baselineLine } from "./evaluation-lines.ts";
import type { Paint } from "./paint.ts";

/** With more classes only those with the lowest F1 are printed. */
const MOST_CLASSES = 12;

/** Head of the lines of `epochLine`. */
export const EPOCH_HEAD = "epoch   train loss   accuracy   validation loss   accuracy   macro F1";

/** Formats one evaluation, in the columns of `EPOCH_HEAD`. */
export function epochLine({ epoch, train, validation }: MetricsLine): string {
	return [
		String(epoch).padStart(5),
		formatLoss(train.loss).padStart(13),
		formatPercent(train.accuracy).padStart(11),
		formatLoss(validation.loss).padStart(18),
		formatPercent(validation.accuracy).padStart(11),
		formatPercent(validation.macroF1).padStart(11),
	].join("");
}

/** Formats the scores and the times of a run, and the commands to use its model. */
export function resultLines(folder: string, result: RunResult, paint: Paint): string[] {
	const path = shortPath(folder);
	return [
		"",
		...scoreTable(result, paint),
		...classLines(result),
		...remarks(result),
		"",
		secondsLine(result.seconds),
		"",
		`results   ${printable(path)}`,
		"report    report.html in that folder",
		`classify  npx tailtune classify ${shellWord(path)} "your text"`,
	];
}

function scoreTable(result: RunResult, paint: Paint): string[] {
	const sets = ["train", "validation", "test"] as const;
	const strong = (set: string, text: string) => (set === "test" ? paint("bold", text) : text);
	const table = new Table({
		style: { head: [], border: [], compact: true },
		colAligns: ["left", "right", "right", "right", "right"],
		head: ["", ...sets.map((set) => strong(set, set)), "95 % interval of test"],
	});
	const { intervals } = result;
	const row = <T>(name: string, of: Record<(typeof sets)[number], T>, format: (value: T) => string, interval = "") =>
		table.push([name, ...sets.map((set) => strong(set, format(of[set]))), interval]);
	row("accuracy", result.accuracy, formatPercent, formatShareInterval(intervals.accuracy));
	row("macro F1", result.macroF1, formatPercent, formatShareInterval(intervals.macroF1));
	row("balanced accuracy", result.balancedAccuracy, formatPercent, formatShareInterval(intervals.balancedAccuracy));
	if (result.multiLabel) {
		const interval = formatShareInterval(intervals.microF1 ?? null);
		row("micro F1", result.multiLabel.microF1, formatPercent, interval);
	} else row("MCC", result.mcc, formatCorrelation, formatCorrelationInterval(intervals.mcc));
	row("loss", result.loss, formatLoss);
	row("texts", result.texts, formatCount);
	return table.toString().split("\n");
}

/** Formats the scores of each class on the test set; of many classes those with the lowest F1. */
function classLines({ perClass }: RunResult): string[] {
	const shown = perClass.length <= MOST_CLASSES ? perClass : perClass.toSorted((a, b) => lowest(a) - lowest(b));
	const first = shown.slice(0, MOST_CLASSES);
	const labels = first.map(({ label }) => label);
	const left = perClass.length - first.length;
	return [
		"test set, in parentheses 95 % confidence intervals:",
		...classTable(labels, first),
		...(left > 0 ? [`${formatCount(left)} more classes have a higher F1: see report.html`] : []),
	];
}

/** Classes without F1 come first: there is something to look at. */
function lowest({ f1 }: RunResult["perClass"][number]): number {
	return f1 ?? -1;
}

function remarks(result: RunResult): string[] {
	const { majorityBaseline, testTextsAlsoInTraining, texts, kept, stopped, refused } = result;
	const baseline = baselineLine(majorityBaseline, "the test");
	const overlap = `${formatCount(testTextsAlsoInTraining)} of ${formatCount(texts.test)} test texts also occur in training`;
	const weights = `kept the weights after epoch ${kept.epoch} (${kept.reason === "best" ? `best ${METRIC_NAMES[kept.metric]} on validation` : "the last"})`;
	const early = stopped === "early" ? ["stopped early: validation did not improve"] : [];
	const counts = Object.entries(refused).map(([reason, count]) => `${reason} ${formatCount(count)}`);
	const refusals = counts.length > 0 ? [`messages refused: ${counts.join(", ")}`] : [];
	return [
		baseline,
		...describeWordBaseline(result),
		...(testTextsAlsoInTraining > 0 ? [overlap] : []),
		weights,
		...(result.calibration ? [calibrationLine(result.calibration)] : []),
		...thresholdsLine(result),
		...early,
		...refusals,
	];
}

/** Returns a line with the thresholds that the predictions use. */
function thresholdsLine({ labels, thresholds }: RunResult): string[] {
	const used = thresholds.flatMap((threshold, label) =>
		threshold === null ? [] : [`${printable(shortName(labels[label] ?? ""))} from ${formatPercent(threshold)}`],
	);
	return used.length > 0 ? [`predicted if probable enough: ${nameSome(used)}`] : [];
}

function calibrationLine({ temperature, error, errorBefore }: NonNullable<RunResult["calibration"]>): string {
	const errors = `expected calibration error ${formatPercent(error)} (${formatPercent(errorBefore)} at 1)`;
	return `probabilities have temperature ${temperature.toFixed(2)}: ${errors}`;
}

function secondsLine({ total, ...phases }: RunResult["seconds"]): string {
	const parts = Object.entries(phases).map(([name, seconds]) => `${name} ${formatSeconds(seconds)}`);
	return `time      ${formatSeconds(total)}: ${parts.join(", ")}`;
}

/** Returns a relative path if the folder is inside the current one. */
export function shortPath(folder: string): string {
	const path = relative(process.cwd(), folder);
	return path.startsWith("..") || isAbsolute(path) ? folder : path || ".";
}
