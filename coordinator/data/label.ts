// White space and invisible characters of Unicode: labels that differ only in these are a mistake.
const INVISIBLE = /[\p{White_Space}\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/u;

/**
 * Returns a label in its normal form, the same for every file format: without surrounding white space and invisible
 * characters, in Unicode's composed form (NFC), a decimal number without trailing zeros ("1.0" is "1"). Empty if
 * nothing is left.
 */
export function normalizeLabel(label: string): string {
	let start = 0;
	let end = label.length;
	while (start < end && INVISIBLE.test(label[start] as string)) start++;
	while (end > start && INVISIBLE.test(label[end - 1] as string)) end--;
	return shortNumber(label.slice(start, end).normalize("NFC"));
}

/**
 * Finds groups of labels that differ only in case, white space or invisible characters.
 * @returns groups of at least two labels; empty if all labels look different
 */
export function similarLabels(labels: readonly string[]): string[][] {
	const groups = new Map<string, string[]>();
	for (const label of labels) {
		const visible = [...label.normalize("NFKC").toLowerCase()].filter((char) => !INVISIBLE.test(char)).join("");
		const group = groups.get(visible);
		if (group) group.push(label);
		else groups.set(visible, [label]);
	}
	return [...groups.values()].filter((group) => group.length > 1);
}

/** Returns a label that seems to be several ones: it has a comma, and a part of it is a label too. */
export function findJoinedLabel(labels: readonly string[]): string | undefined {
	const known = new Set(labels);
	return labels.find((label) => label.includes(",") && label.split(",").some((part) => known.has(part.trim())));
}

function shortNumber(label: string): string {
	const [, whole, fraction = ""] = /^(-?\d+)\.(\d+)$/.exec(label) ?? [];
	if (whole === undefined) return label;
	let digits = fraction.length;
	while (digits > 0 && fraction[digits - 1] === "0") digits--;
	if (digits > 0) return `${whole}.${fraction.slice(0, digits)}`;
	return whole === "-0" ? "0" : whole;
}
