import { printable } from "../../shared/printable.ts";
import type { Classification, RunEvent } from "../events/schemas.ts";
import { formatCount, formatPercent } from "../format.ts";

const LONGEST_TEXT = 60;

type ClassifiedSummary = Omit<Extract<RunEvent, { event: "classified" }>, "event">;

/** Formats one line per text, in columns: label, probability and the beginning of the text. */
export function classificationLines(results: readonly Classification[]): string[] {
	const labels = results.map(({ label }) => printable(label || "–"));
	const width = labels.reduce((widest, { length }) => Math.max(widest, length), 0);
	return results.map(({ text, probability }, i) => {
		const label = (labels[i] ?? "").padEnd(width);
		const percent = probability === null ? "–" : formatPercent(probability);
		return `${label}  ${percent.padStart(7)}  ${beginningOf(text)}`;
	});
}

/** Formats the end of a classification: the file written, the texts cut and the rows that could not be classified. */
export function classifiedLines({ out, rows, cut, maxTokens, unlabelled, bad, errors }: ClassifiedSummary): string[] {
	const more = bad > errors.length ? [`  and ${formatCount(bad - errors.length)} more`] : [];
	const blank = out === null ? "" : "; their predictions are blank";
	return [
		...(out === null ? [] : [`wrote ${printable(out)}: ${formatCount(rows)} ${rows === 1 ? "row" : "rows"}`]),
		...cutLines(cut, rows, maxTokens),
		...(unlabelled === 0 ? [] : [`${formatCount(unlabelled)} of ${formatCount(rows)} got no label`]),
		...(bad === 0 ? [] : [`${formatCount(bad)} ${bad === 1 ? "row" : "rows"} could not be classified${blank}:`]),
		...errors.map((error) => `  ${printable(error)}`),
		...more,
	];
}

/** Formats how many texts were cut; no line if there are none. @param tokens the limit, in tokens */
export function cutLines(cut: number, texts: number, tokens: number): string[] {
	return cut === 0 ? [] : [`cut ${formatCount(cut)} of ${formatCount(texts)} texts to ${formatCount(tokens)} tokens`];
}

function beginningOf(text: string): string {
	const characters = [...printable(text.trim().replace(/\s+/g, " "))];
	return characters.length <= LONGEST_TEXT ? characters.join("") : `${characters.slice(0, LONGEST_TEXT - 1).join("")}…`;
}
