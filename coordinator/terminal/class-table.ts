import Table from "cli-table3";
import { printable } from "../../shared/printable.ts";
import { formatCount, formatShare, formatShareWithInterval } from "../format.ts";
import type { ClassDetails } from "../metrics/set-scores.ts";

/** Formats the scores of each class, with the 95 % intervals of precision and recall in parentheses. */
export function classTable(labels: readonly string[], perClass: readonly ClassDetails[]): string[] {
	const rows = perClass.map(({ precision, precisionInterval, recall, recallInterval, f1, support }, i) => [
		printable(labels[i] ?? ""),
		formatShareWithInterval(precision, precisionInterval),
		formatShareWithInterval(recall, recallInterval),
		formatShare(f1),
		formatCount(support),
	]);
	return plainTable(["class", "precision", "recall", "F1", "texts"], rows);
}

/** Formats a table whose columns but the first are aligned to the right. */
export function plainTable(head: string[], rows: readonly string[][]): string[] {
	const colAligns = head.map((_, column) => (column === 0 ? "left" : "right"));
	const lines = new Table({ head, colAligns, style: { head: [], border: [], compact: true } });
	lines.push(...rows);
	return lines.toString().split("\n");
}
