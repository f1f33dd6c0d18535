import { printable } from "../../shared/printable.ts";
import type { Classification } from "../events/schemas.ts";
import { formatCount, formatPercent } from "../format.ts";

const LONGEST_TEXT = 60;

/**
 * Formats one line per text, in columns: label, probability and the beginning of the text; and one more line if texts
 * were cut.
 */
export function classificationLines(results: readonly Classification[]): string[] {
	const labels = results.map(({ label }) => printable(label));
	const width = labels.reduce((widest, { length }) => Math.max(widest, length), 0);
	const lines = results.map(({ text, probability }, i) => {
		const label = (labels[i] ?? "").padEnd(width);
		return `${label}  ${formatPercent(probability).padStart(7)}  ${beginningOf(text)}`;
	});
	const cut = results.filter(({ truncated }) => truncated);
	return [...lines, ...cutLines(cut.length, results.length, cut[0]?.tokens ?? 0)];
}

/** Formats how many texts were cut; no line if there are none. @param tokens the limit, in tokens */
export function cutLines(cut: number, texts: number, tokens: number): string[] {
	return cut === 0 ? [] : [`cut ${formatCount(cut)} of ${formatCount(texts)} texts to ${formatCount(tokens)} tokens`];
}

function beginningOf(text: string): string {
	const characters = [...printable(text.trim().replace(/\s+/g, " "))];
	return characters.length <= LONGEST_TEXT ? characters.join("") : `${characters.slice(0, LONGEST_TEXT - 1).join("")}…`;
}
