import { TailtuneError } from "../../shared/errors.ts";
import { findColumn, plainName, refuseHeader } from "./header.ts";
import { type Line, linesOf } from "./line-ends.ts";
import { refuseQuoting, refuseTextFirst } from "./misread-tsv.ts";
import { type Columns, DEFAULT_COLUMNS, type Row } from "./row.ts";

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

/**
 * Reads `label<TAB>text` lines without quoting, as in the SMS Spam Collection: further tabs belong to the text, and a
 * line without a tab is a text without a label. If the first line names the columns, they may be in any order. Blank
 * lines are skipped.
 * @throws TailtuneError "data" for a header without the requested columns, texts before labels, or a quoted file
 */
export function readTsv(content: string, file: string, columns: Columns): Row[] {
	const lines = linesOf(content);
	const isNamed = hasHeader(lines, columns);
	const rows = isNamed ? readUnderHeader(lines, file, columns) : lines.map((line) => readPlain(line, file));
	refuseQuoting(rows);
	if (!isNamed && columns.labelColumn !== undefined) refuseTextFirst(rows);
	return rows;
}

function readPlain({ text: line, number }: Line, file: string): Row {
	const tab = line.indexOf("\t");
	return { label: tab < 0 ? undefined : line.slice(0, tab), text: line.slice(tab + 1), source: `${file}:${number}` };
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

function readUnderHeader([first, ...others]: readonly Line[], file: string, columns: Columns): Row[] {
	if (first === undefined) return [];
	const { textColumn, labelColumn } = columns;
	const header = first.text.split("\t");
	const place = `${file}:${first.number}`;
	const textField = findColumn(header, textColumn, "--text-column", place);
	const labelField = labelColumn === undefined ? -1 : findColumn(header, labelColumn, "--label-column", place);
	const textIsLast = textField === header.length - 1;
	return others.map(({ text: line, number }) => {
		const source = `${file}:${number}`;
		const fields = line.split("\t");
		if (fields.length < header.length || (fields.length > header.length && !textIsLast)) {
			const found = `found ${fields.length} ${fields.length === 1 ? "field" : "fields"}`;
			throw new TailtuneError("data", `${source}: ${found}, expected ${header.length} as in the header`);
		}
		refuseHeader(fields, header, source);
		const text = textIsLast ? fields.slice(textField).join("\t") : fields[textField];
		return { text, label: fields[labelField], source };
	});
}
