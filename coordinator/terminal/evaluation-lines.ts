import { printable } from "../../shared/printable.ts";
import type { ClassifierEvaluation } from "../events/schemas.ts";
import {
	formatCorrelation,
	formatCorrelationInterval,
	formatCount,
	formatLoss,
	formatPercent,
	formatShareInterval,
} from "../format.ts";
import { classTable, plainTable } from "./class-table.ts";
import { cutLines } from "./classification-lines.ts";
import type { Paint } from "./paint.ts";

/** With more classes the confusion matrix is too wide and is left out. */
const MOST_CONFUSED_CLASSES = 6;

/** Formats an evaluation: scores and loss of all texts, then the scores of each class. */
export function evaluationLines(evaluation: ClassifierEvaluation, paint: Paint): string[] {
	const { texts, labels, confusion, perClass, majorityBaseline, cut, maxTokens } = evaluation;
	const names = labels.map(printable);
	const counts = confusion.map((row, i) => [names[i] ?? "", ...row.map(formatCount)]);
	return [
		...overallLines(evaluation, paint),
		baselineLine(majorityBaseline, "these"),
		...cutLines(cut, texts, maxTokens),
		"in parentheses: 95 % confidence intervals",
		...classTable(labels, perClass),
		...(labels.length > MOST_CONFUSED_CLASSES || confusion.length === 0
			? []
			: plainTable(["true \\ predicted", ...names], counts)),
	];
}

function overallLines(evaluation: ClassifierEvaluation, paint: Paint): string[] {
	const { accuracy, balancedAccuracy, macroF1, microF1, mcc, intervals, loss, texts } = evaluation;
	const share = (value: string, interval: readonly [number, number] | null) =>
		`${value} (${formatShareInterval(interval)})`;
	return [
		`accuracy ${share(paint("bold", formatPercent(accuracy)), intervals.accuracy)} of ${formatCount(texts)} texts, loss ${formatLoss(loss)}`,
		[
			`macro F1 ${share(formatPercent(macroF1), intervals.macroF1)}`,
			`balanced accuracy ${share(formatPercent(balancedAccuracy), intervals.balancedAccuracy)}`,
			microF1 === undefined
				? `MCC ${formatCorrelation(mcc)} (${formatCorrelationInterval(intervals.mcc)})`
				: `micro F1 ${share(formatPercent(microF1), intervals.microF1 ?? null)}`,
		].join(", "),
	];
}

/** Formats the majority baseline. @param which the texts evaluated: "these" or "the test" */
export function baselineLine({ label, accuracy }: ClassifierEvaluation["majorityBaseline"], which: string): string {
	return `always predicting ${label === "" ? "no label" : `"${printable(label)}"`} would reach ${formatPercent(accuracy)} on ${which} texts`;
}
