import { TailtuneError } from "../../shared/errors.ts";
import { nameSome } from "./name-some.ts";
import type { Row } from "./row.ts";

/**
 * Refuses a TSV file whose texts come before their labels: there are about as many different first fields as lines, and few
 * different last ones.
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
 * Refuses a TSV file that was written with quoting, as spreadsheets and pandas do: read as it is, its texts would have
 * quotes that nobody typed. It is one if every text with a quote is quoted as a whole, and either one holds a doubled
 * quote or all texts are quoted.
 * @throws TailtuneError "data" that names the first quoted row
 */
export function refuseQuoting(rows: readonly Row[]): void {
	const quoted = rows.filter(({ text }) => text?.includes('"'));
	if (quoted.length === 0 || !quoted.every(({ text = "" }) => isQuoted(text))) return;
	const hasDoubled = quoted.some(({ text = "" }) => text.slice(1, -1).includes('""'));
	if (!hasDoubled && (quoted.length < rows.length || rows.length < 2)) return;
	const expected = "expected texts without quoting; a quoted file must be named .csv and have a header";
	throw new TailtuneError("data", `${quoted[0]?.source}: found a text in quotes, ${expected}`);
}

/** Whether a text begins and ends with a quote, and each quote within it is doubled. */
function isQuoted(text: string): boolean {
	const isEnclosed = text.length >= 2 && text.startsWith('"') && text.endsWith('"');
	return isEnclosed && !text.slice(1, -1).replaceAll('""', "").includes('"');
}
