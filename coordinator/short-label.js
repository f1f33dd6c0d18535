// In JavaScript, because the dashboard loads it too.

/** Most characters of a label in reports and in the dashboard, so that hostile labels don't fill them. */
const LONGEST_LABEL = 80;

/**
 * Cuts a long label.
 * @param {string} label
 */
export function shortLabel(label) {
	const characters = [...label.slice(0, 2 * LONGEST_LABEL)];
	return label.length <= LONGEST_LABEL || characters.length <= LONGEST_LABEL
		? label
		: `${characters.slice(0, LONGEST_LABEL - 1).join("")}…`;
}
