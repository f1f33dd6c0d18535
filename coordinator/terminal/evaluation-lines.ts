import Table from "cli-table3";
import { printable } from "../../shared/printable.ts";
import type { ClassifierEvaluation } from "../events/schemas.ts";
import { formatCount, formatLoss, formatPercent } from "../format.ts";
import { cutLines } from "./classification-lines.ts";
import type { Paint } from "./paint.ts";

/** With more classes the confusion matrix is too wide and is left out. */
const MOST_CONFUSED_CLASSES = 6;

/** Formats an evaluation: accuracy and loss of all texts, then the scores of each class. */
export function evaluationLines(evaluation: ClassifierEvaluation, paint: Paint): string[] {
	const { accuracy, loss, texts, labels, confusion, perClass, majorityBaseline, cut, maxTokens } = evaluation;
	const names = labels.map(printable);
	const scores = perClass.map(({ precision, recall, f1, support }, i) => [
		names[i] ?? "",
		...[precision, recall, f1].map((share) => (share === null ? "–" : formatPercent(share))),
		formatCount(support),
	]);
	const counts = confusion.map((row, i) => [names[i] ?? "", ...row.map(formatCount)]);
	return [
		`accuracy ${paint("bold", formatPercent(accuracy))} of ${formatCount(texts)} texts, loss ${formatLoss(loss)}`,
		baselineLine(majorityBaseline, "these"),
		...cutLines(cut, texts, maxTokens),
		...table(["class", "precision", "recall", "F1", "texts"], scores),
		...(labels.length > MOST_CONFUSED_CLASSES ? [] : table(["true \\ predicted", ...names], counts)),
	];
}

/** Formats the majority baseline. @param which the texts evaluated: "these" or "the test" */
export function baselineLine({ label, accuracy }: ClassifierEvaluation["majorityBaseline"], which: string): string {
	return `always predicting "${printable(label)}" would reach ${formatPercent(accuracy)} on ${which} texts`;
}

function table(head: string[], rows: readonly string[][]): string[] {
	const colAligns = head.map((_, column) => (column === 0 ? "left" : "right"));
	const lines = new Table({ head, colAligns, style: { head: [], border: [], compact: true } });
	lines.push(...rows);
	return lines.toString().split("\n");
}
