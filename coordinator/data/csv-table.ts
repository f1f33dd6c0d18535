import { CsvError, type Parser, parse } from "csv-parse";
import { TailtuneError } from "../../shared/errors.ts";
import { columnCountFault, repeatedHeaderFault } from "./header.ts";
import { MOST_ROW_LENGTH } from "./line-ends.ts";
import type { ParsedTable, RowBatches, TableHeader, TableRow, TableText, TextChunks } from "./table.ts";

interface CsvRecord {
	readonly fields: readonly string[];
	/** Number of its first line, from 1. */
	readonly line: number;
}

// Our own texts: the parser's messages name the line at which it stopped, not the line of the fault.
const FAULTS: { readonly [code: string]: string } = {
	CSV_QUOTE_NOT_CLOSED: "found a quoted field that is never closed, expected another quote at its end",
	CSV_INVALID_CLOSING_QUOTE:
		'found text after a closing quote, expected a separator or "" for a quote inside the field',
	INVALID_OPENING_QUOTE: "found a quote inside a field without quotes, expected the whole field in quotes",
	CSV_MAX_RECORD_SIZE: `found a row of more than ${MOST_ROW_LENGTH} bytes, expected another quote at the end of a quoted field`,
};

// If a header has equally many of two separators, the first one in this list is used.
const SEPARATORS = [",", ";", "\t", "|"];

/** A tab is hard to type in a shell. */
const TABS: { readonly [delimiter: string]: string } = { tab: "\t", "\\t": "\t" };

/**
 * Reads rows of separated values with a header (RFC 4180): quoted fields may contain separators, quotes and line ends.
 * The separator is the most frequent one in the header: comma, semicolon (written by spreadsheets in some languages),
 * tab or bar.
 * @throws TailtuneError "data" for a misplaced quote. A row with a different number of fields has a fault.
 */
export async function parseCsv({ chunks, sample, file, options }: TableText): Promise<ParsedTable> {
	const separator = TABS[options.delimiter ?? ""] ?? options.delimiter ?? separatorOf(sample.text);
	const format = { name: "CSV", separator } as const;
	const records = readRecords(chunks, separator, file);
	for (let next = await records.next(); !next.done; next = await records.next()) {
		const start = next.value.findIndex((record) => !isBlank(record));
		if (start < 0) continue;
		const { fields, line } = next.value[start] as CsvRecord;
		const header = { names: fields, source: `${file}:${line}` };
		const toRow = (record: CsvRecord) => rowOf(record, header, file, options.labelColumn !== undefined);
		return { format, header, batches: toRows(next.value.slice(start + 1), records, toRow) };
	}
	return { format, header: undefined, batches: toRows([], records, () => []) };
}

async function* toRows(
	first: readonly CsvRecord[],
	rest: AsyncIterable<readonly CsvRecord[]>,
	toRow: (record: CsvRecord) => TableRow | [],
): RowBatches {
	yield first.flatMap(toRow);
	for await (const records of rest) yield records.flatMap(toRow);
}

function rowOf(record: CsvRecord, { names }: TableHeader, file: string, isLabelled: boolean): TableRow {
	const { fields, line } = record;
	const row = { source: `${file}:${line}`, names, values: fields, isBlank: isBlank(record) };
	if (row.isBlank) return row;
	const fault =
		columnCountFault(fields, names, row.source) ??
		(isLabelled ? repeatedHeaderFault(fields, names, row.source) : undefined);
	return fault ? { ...row, fault } : row;
}

function isBlank({ fields }: CsvRecord): boolean {
	return fields.every((field) => field.trim() === "");
}

function separatorOf(start: string): string {
	const [line = ""] = start.trimStart().split(/[\r\n]/, 1);
	const header = line.replaceAll(/"[^"]*"/g, "");
	const counts = SEPARATORS.map((separator) => header.split(separator).length);
	return SEPARATORS[counts.indexOf(Math.max(...counts))] ?? ",";
}

/** Parses records chunk by chunk; each chunk gives the records that end in it. */
async function* readRecords(chunks: TextChunks, delimiter: string, file: string): AsyncGenerator<CsvRecord[]> {
	let records: CsvRecord[] = [];
	let line = 1;
	const parser = parse({
		relax_column_count: true,
		delimiter,
		record_delimiter: ["\r\n", "\n", "\r"],
		max_record_size: MOST_ROW_LENGTH,
		on_record: (fields: string[]) => {
			records.push({ fields, line });
			// Counted here because the parser counts a quoted CRLF as two lines.
			line += fields.reduce((lines, field) => lines + countLineEnds(field), 1);
			return null; // kept above
		},
	});
	// Errors reach the callbacks of write and end; without a listener they would also end the process.
	parser.on("error", () => {});
	const take = () => {
		const taken = records;
		records = [];
		return taken;
	};
	try {
		for await (const chunk of chunks) {
			await write(parser, chunk);
			yield take();
		}
		await write(parser, undefined);
		yield take();
	} catch (cause) {
		if (!(cause instanceof CsvError)) throw cause;
		const reason = FAULTS[cause.code] ?? cause.message.replaceAll(/\s+/g, " ");
		throw new TailtuneError("data", `${file}:${line}: ${reason}`, { cause });
	} finally {
		parser.destroy();
	}
}

/** Gives a chunk to the parser, or ends it if there is none. Resolves when the chunk has been parsed. */
function write(parser: Parser, chunk: string | undefined): Promise<void> {
	return new Promise((resolve, reject) => {
		const done = (error?: Error | null) => (error ? reject(error) : resolve());
		if (chunk === undefined) parser.end(done);
		else parser.write(chunk, done);
	});
}

function countLineEnds(field: string): number {
	return /[\r\n]/.test(field) ? field.split(/\r\n|\n|\r/).length - 1 : 0;
}
