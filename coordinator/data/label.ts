// Unicode's white space, and characters that nobody sees: a label that is told apart by these alone is a mistake.
const INVISIBLE = /[\p{White_Space}\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/u;

/**
 * A label in the one form that every file format gives it: without white space and invisible characters around it, in
 * Unicode's composed form (NFC), and a decimal number without zeros at its end ("1.0" is "1"). Empty if nothing is left.
 */
export function normalizeLabel(label: string): string {
	let start = 0;
	let end = label.length;
	while (start < end && INVISIBLE.test(label[start] as string)) start++;
	while (end > start && INVISIBLE.test(label[end - 1] as string)) end--;
	return shortNumber(label.slice(start, end).normalize("NFC"));
}

/**
 * Groups of labels that look alike: they differ only in case, in white space or in invisible characters.
 * @returns each group with at least two labels; none if all labels look different
 */
export function similarLabels(labels: readonly string[]): string[][] {
	const groups = new Map<string, string[]>();
	for (const label of labels) {
		const look = [...label.normalize("NFKC").toLowerCase()].filter((character) => !INVISIBLE.test(character)).join("");
		const group = groups.get(look);
		if (group) group.push(label);
		else groups.set(look, [label]);
	}
	return [...groups.values()].filter((group) => group.length > 1);
}

function shortNumber(label: string): string {
	const [, whole, fraction = ""] = /^(-?\d+)\.(\d+)$/.exec(label) ?? [];
	if (whole === undefined) return label;
	let digits = fraction.length;
	while (digits > 0 && fraction[digits - 1] === "0") digits--;
	if (digits > 0) return `${whole}.${fraction.slice(0, digits)}`;
	return whole === "-0" ? "0" : whole;
}
