import { CsvError, parse } from "csv-parse/sync";
import { TailtuneError } from "../errors.ts";
import type { Columns, Row } from "./row.ts";

interface Record {
	readonly fields: readonly string[];
	/** Of its first line, from 1. */
	readonly line: number;
}

// In our words: the parser's lines are those at which it gave up.
const QUOTE_FAULTS: { readonly [code: string]: string } = {
	CSV_QUOTE_NOT_CLOSED: "found a quoted field that is never closed, expected another quote at its end",
	CSV_INVALID_CLOSING_QUOTE: 'found text after a closing quote, expected a comma or "" for a quote inside the field',
	INVALID_OPENING_QUOTE: "found a quote inside a field without quotes, expected the whole field in quotes",
};

/**
 * Rows of comma-separated values with a header (RFC 4180): fields may be quoted and then hold commas, quotes, newlines.
 * @throws TailtuneError "data" for a column that isn't there, a row with another number of fields, or a stray quote
 */
export function readCsv(content: string, file: string, { textColumn, labelColumn }: Columns): Row[] {
	const [header, ...records] = parseRecords(content, file);
	if (!header) return [];
	const textField = findColumn(header.fields, textColumn, "--text-column", file);
	const labelField = labelColumn === undefined ? -1 : findColumn(header.fields, labelColumn, "--label-column", file);
	const expected = header.fields.length;
	return records.map(({ fields, line }) => {
		const source = `${file}:${line}`;
		// An empty line is a record of one empty field; the caller says what is wrong with it.
		if (fields.length !== expected && fields.join("") !== "") {
			throw new TailtuneError(
				"data",
				`${source}: found ${fields.length} fields, expected ${expected} as in the header`,
			);
		}
		return { text: fields[textField], label: fields[labelField], source };
	});
}

function parseRecords(content: string, file: string): Record[] {
	const records: Record[] = [];
	let line = 1;
	try {
		parse(content, {
			relax_column_count: true,
			record_delimiter: ["\r\n", "\n"],
			on_record: (fields: string[]) => {
				records.push({ fields, line });
				// Counted here: the parser takes a quoted CRLF for two lines.
				line += fields.reduce((lines, field) => lines + field.split("\n").length - 1, 1);
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

function findColumn(header: readonly string[], name: string, flag: string, file: string): number {
	const index = header.indexOf(name);
	if (index >= 0) return index;
	const found = header.join(", ");
	throw new TailtuneError("data", `${file}:1: no column ${JSON.stringify(name)} (${flag}); found ${found}`);
}
