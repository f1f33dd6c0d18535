import { CsvError, parse } from "csv-parse/sync";
import { TailtuneError } from "../../shared/errors.ts";
import { findColumn, refuseHeader } from "./header.ts";
import type { Columns, Row } from "./row.ts";

interface Record {
	readonly fields: readonly string[];
	/** Number of its first line, from 1. */
	readonly line: number;
}

// Our own texts: the parser's messages name the line at which it stopped, not the line of the fault.
const QUOTE_FAULTS: { readonly [code: string]: string } = {
	CSV_QUOTE_NOT_CLOSED: "found a quoted field that is never closed, expected another quote at its end",
	CSV_INVALID_CLOSING_QUOTE:
		'found text after a closing quote, expected a separator or "" for a quote inside the field',
	INVALID_OPENING_QUOTE: "found a quote inside a field without quotes, expected the whole field in quotes",
};

// If a header has equally many of two separators, the first one in this list is used.
const SEPARATORS = [",", ";", "\t"];

/**
 * Reads rows of separated values with a header (RFC 4180): quoted fields may contain separators, quotes and line ends.
 * The separator is the most frequent one in the header: comma, semicolon (written by spreadsheets in some languages) or
 * tab. Blank lines, and rows with only empty fields, are skipped.
 * @throws TailtuneError "data" for a missing column, a row with a different number of fields, or a misplaced quote
 */
export function readCsv(content: string, file: string, { textColumn, labelColumn }: Columns): Row[] {
	const records = parseRecords(content, file).filter(({ fields }) => fields.some((field) => field.trim() !== ""));
	const [header, ...rows] = records;
	if (!header) return [];
	const place = `${file}:${header.line}`;
	const textField = findColumn(header.fields, textColumn, "--text-column", place);
	const labelField = labelColumn === undefined ? -1 : findColumn(header.fields, labelColumn, "--label-column", place);
	const expected = header.fields.length;
	return rows.map(({ fields, line }) => {
		const source = `${file}:${line}`;
		if (fields.length !== expected) {
			const found = `found ${fields.length} ${fields.length === 1 ? "field" : "fields"}`;
			throw new TailtuneError("data", `${source}: ${found}, expected ${expected} as in the header`);
		}
		if (labelField >= 0) refuseHeader(fields, header.fields, source);
		return { text: fields[textField], label: fields[labelField], source };
	});
}

function separatorOf(content: string): string {
	const [header = ""] = content.trimStart().split(/[\r\n]/, 1);
	const counts = SEPARATORS.map((separator) => header.split(separator).length);
	return SEPARATORS[counts.indexOf(Math.max(...counts))] ?? ",";
}

function parseRecords(content: string, file: string): Record[] {
	const records: Record[] = [];
	let line = 1;
	try {
		parse(content, {
			relax_column_count: true,
			delimiter: separatorOf(content),
			record_delimiter: ["\r\n", "\n", "\r"],
			on_record: (fields: string[]) => {
				records.push({ fields, line });
				// Counted here because the parser counts a quoted CRLF as two lines.
				line += fields.reduce((lines, field) => lines + field.split(/\r\n|\n|\r/).length - 1, 1);
				return null; // kept above
			},
		});
		return records;
	} catch (cause) {
		if (!(cause instanceof CsvError)) throw cause;
		const reason = QUOTE_FAULTS[cause.code] ?? cause.message.replaceAll(/\s+/g, " ");
		throw new TailtuneError("data", `${file}:${line}: ${reason}`, { cause });
	}
}
