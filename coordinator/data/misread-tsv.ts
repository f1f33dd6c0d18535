import { TailtuneError } from "../../shared/errors.ts";
import { nameSome } from "./name-some.ts";
import type { Row } from "./pick-columns.ts";

/**
 * Refuses a TSV file in which the text comes before the label: most first fields differ from each other, and there are
 * few different last fields.
 * @throws TailtuneError "data" that names the first row
 */
export function refuseTextFirst(rows: readonly Row[]): void {
	const first = new Set(rows.map(({ label }) => label));
	const last = new Set(rows.map(({ text }) => text?.slice(text.lastIndexOf("\t") + 1)));
	const isTextFirst = first.size * 2 > rows.length && last.size >= 2 && last.size * 2 <= first.size;
	if (!isTextFirst) return;
	const labels = nameSome([...last].map((label) => JSON.stringify(label)));
	const expected = "expected label<TAB>text, or text<TAB>label as the first line";
	throw new TailtuneError("data", `${rows[0]?.source}: found texts before labels (${labels}), ${expected}`);
}

/**
 * Refuses a TSV file written with quoting, as spreadsheets and pandas do, since its texts would be read with extra
 * quotes. A file counts as quoted if every text that contains a quote is enclosed in quotes, and either one of them
 * contains a doubled quote or all texts are enclosed.
 * @throws TailtuneError "data" that names the first quoted row
 */
export function refuseQuoting(rows: readonly Row[]): void {
	const quoted = rows.filter(({ text }) => text?.includes('"'));
	if (quoted.length === 0 || !quoted.every(({ text = "" }) => isQuoted(text))) return;
	const hasDoubled = quoted.some(({ text = "" }) => text.slice(1, -1).includes('""'));
	if (!hasDoubled && (quoted.length < rows.length || rows.length < 2)) return;
	const expected =
		"expected texts without quoting; a quoted file must have a header, and be named .csv or read with --delimiter tab";
	throw new TailtuneError("data", `${quoted[0]?.source}: found a text in quotes, ${expected}`);
}

/** Whether a text begins and ends with a quote, and each quote within it is doubled. */
function isQuoted(text: string): boolean {
	const isEnclosed = text.length >= 2 && text.startsWith('"') && text.endsWith('"');
	return isEnclosed && !text.slice(1, -1).replaceAll('""', "").includes('"');
}
