import Table from "cli-table3";
import { printable } from "../../shared/printable.ts";
import type { ClassifierEvaluation } from "../events/schemas.ts";
import { formatCount, formatLoss, formatPercent } from "../format.ts";
import { cutLines } from "./classification-lines.ts";
import type { Paint } from "./paint.ts";

/** Above so many classes the confusion matrix has no room. */
const MOST_CONFUSED_CLASSES = 6;

/** How a model does on labelled texts, over all and class by class. */
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
		...(labels.length > MOST_CONFUSED_CLASSES ? [] : table(["class, taken for", ...names], counts)),
	];
}

/** What a model that always gives the same answer would reach. @param which texts were measured, as in "these" */
export function baselineLine({ label, accuracy }: ClassifierEvaluation["majorityBaseline"], which: string): string {
	return `always answering "${printable(label)}" would reach ${formatPercent(accuracy)} on ${which} texts`;
}

function table(head: string[], rows: readonly string[][]): string[] {
	const colAligns = head.map((_, column) => (column === 0 ? "left" : "right"));
	const lines = new Table({ head, colAligns, style: { head: [], border: [], compact: true } });
	lines.push(...rows);
	return lines.toString().split("\n");
}
