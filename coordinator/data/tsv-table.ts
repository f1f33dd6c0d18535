import { columnCountFault, plainName, repeatedHeaderFault } from "./header.ts";
import { type Line, readLines, sampleLines } from "./line-ends.ts";
import { refuseQuoting, refuseTextFirst } from "./misread-tsv.ts";
import { splitNames } from "./pick-columns.ts";
import { type Columns, DEFAULT_COLUMNS, type ParsedTable, type TableRow, type TableText } from "./table.ts";

// Usual names of the two columns: a first line with one name of each list is a header, not a text.
const TEXT_NAMES = new Set([
	"text",
	"texts",
	"sentence",
	"message",
	"content",
	"body",
	"review",
	"comment",
	"document",
]);
const LABEL_NAMES = new Set(["label", "labels", "class", "category", "target", "sentiment", "tag", "intent", "topic"]);

const PLAIN_NAMES = ["label", "text"];

/**
 * Reads `label<TAB>text` lines without quoting, as in the SMS Spam Collection: further tabs belong to the text, and a
 * line without a tab is a text without a label. If the first line names the columns, they may be in any order.
 * @throws TailtuneError "data" if the start of the file has texts before labels, or quoted texts
 */
export async function parseTsv({ chunks, sample, file, options: columns }: TableText): Promise<ParsedTable> {
	const all = sampleLines(sample).map((text, index) => ({ text, number: index + 1 }));
	const lines = all.filter(({ text }) => text.trim() !== "");
	const [first] = lines;
	const isNamed = hasHeader(lines, columns);
	const names = first && isNamed ? first.text.split("\t") : PLAIN_NAMES;
	const toRow = (line: Line) => (isNamed ? rowUnderHeader(line, file, names, columns) : plainRow(line, file));
	refuseMisread(lines.slice(isNamed ? 1 : 0).map(toRow), isNamed, columns);
	const skipped = isNamed ? first?.number : undefined;
	const header = isNamed ? { names, source: `${file}:${skipped}` } : { names };
	return { format: { name: "TSV" }, header, batches: toRows() };

	async function* toRows() {
		for await (const some of readLines(chunks, file)) {
			yield some.filter(({ number }) => number !== skipped).map(toRow);
		}
	}
}

/** Refuses a file if its first rows aren't `label<TAB>text` without quoting. */
function refuseMisread(rows: readonly TableRow[], isNamed: boolean, { textColumn, labelColumn }: Columns): void {
	const text = Math.max(0, isNamed ? (rows[0]?.names ?? []).findIndex((name) => isText(name, textColumn)) : 1);
	const plain = rows.map(({ source, values }) => ({ source, label: String(values[0]), text: String(values[text]) }));
	refuseQuoting(plain);
	if (!isNamed && labelColumn !== undefined) refuseTextFirst(plain);
}

function plainRow({ text: line, number }: Line, file: string): TableRow {
	const tab = line.indexOf("\t");
	const values = [tab < 0 ? undefined : line.slice(0, tab), line.slice(tab + 1)];
	return { source: `${file}:${number}`, names: PLAIN_NAMES, values, isBlank: line.trim() === "" };
}

/** Whether the first line is a header. It isn't if its first field is also the label of another line. */
function hasHeader([first, ...others]: readonly Line[], { textColumn, labelColumn }: Columns): boolean {
	if (first === undefined) return false;
	const isAsked = textColumn !== DEFAULT_COLUMNS.textColumn || (labelColumn ?? "label") !== DEFAULT_COLUMNS.labelColumn;
	const names = first.text.split("\t").map(plainName);
	if (isAsked || (names.includes("text") && names.includes("label"))) return true;
	const hasText = names.some((name) => TEXT_NAMES.has(name));
	const hasLabel = names.some((name) => LABEL_NAMES.has(name));
	const seemsNamed = names.includes("label") || (hasText && (hasLabel || labelColumn === undefined));
	return seemsNamed && !others.some(({ text }) => plainName(text.split("\t", 1)[0] ?? "") === names[0]);
}

/** If the text is the last column, further tabs belong to it. */
function rowUnderHeader(
	{ text: line, number }: Line,
	file: string,
	names: readonly string[],
	{ textColumn }: Columns,
): TableRow {
	const source = `${file}:${number}`;
	const last = names.length - 1;
	const all = line.split("\t");
	const isJoined = all.length > names.length && isText(names[last] ?? "", textColumn);
	const values = isJoined ? [...all.slice(0, last), all.slice(last).join("\t")] : all;
	const row = { source, names, values, isBlank: line.trim() === "" };
	if (row.isBlank) return row;
	const fault = columnCountFault(values, names, source) ?? repeatedHeaderFault(values, names, source);
	return fault ? { ...row, fault } : row;
}

function isText(name: string, textColumn: string): boolean {
	return [textColumn, ...splitNames(textColumn)].map(plainName).includes(plainName(name));
}
