/** Most characters of a label in the report, so that hostile labels don't fill it. */
const LONGEST_LABEL = 80;

/** Cuts a long label. */
export function shortLabel(label: string): string {
	const characters = [...label.slice(0, 2 * LONGEST_LABEL)];
	return label.length <= LONGEST_LABEL || characters.length <= LONGEST_LABEL
		? label
		: `${characters.slice(0, LONGEST_LABEL - 1).join("")}…`;
}
