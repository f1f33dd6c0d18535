import { formatPercent } from "../results/format.ts";
import { printable } from "./printable.ts";

const LONGEST_TEXT = 60;

/** What the model makes of a text. */
export interface Classification {
	readonly text: string;
	readonly label: string;
	/** Of the label, in [0, 1]. */
	readonly probability: number;
}

/** A line a text, in columns: label, probability, the beginning of the text. */
export function classificationLines(results: readonly Classification[]): string[] {
	const labels = results.map(({ label }) => printable(label));
	const width = Math.max(0, ...labels.map((label) => label.length));
	return results.map(({ text, probability }, i) => {
		const label = (labels[i] ?? "").padEnd(width);
		return `${label}  ${formatPercent(probability).padStart(7)}  ${beginningOf(text)}`;
	});
}

function beginningOf(text: string): string {
	const characters = [...printable(text.trim().replace(/\s+/g, " "))];
	return characters.length <= LONGEST_TEXT ? characters.join("") : `${characters.slice(0, LONGEST_TEXT - 1).join("")}…`;
}
