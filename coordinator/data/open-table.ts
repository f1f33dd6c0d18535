import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { toReadError } from "../../shared/files/regular-file.ts";
import { parseCsv } from "./csv-table.ts";
import { decodeText } from "./decode-text.ts";
import { parseFolder } from "./folder-table.ts";
import { parseJsonl } from "./jsonl-table.ts";
import { lineEndRepair, readRepaired } from "./line-ends.ts";
import { parseLines } from "./lines-table.ts";
import { type OpenBytes, openBytes, openInput, STANDARD_INPUT } from "./open-bytes.ts";
import { readStart } from "./read-start.ts";
import type { Columns, ParsedTable, ParseTable, RowBatches, Sample, Table, TableRow } from "./table.ts";
import { parseTsv } from "./tsv-table.ts";

const PARSERS: Readonly<Record<string, ParseTable>> = {
	".tsv": parseTsv,
	".csv": parseCsv,
	".jsonl": parseJsonl,
	".ndjson": parseJsonl,
};

/** Characters from which the details of a format (separator, header, line ends) are detected. */
const SAMPLE_LENGTH = 1 << 20;

/**
 * Opens a file or a folder as a stream of rows. The extension decides the format. A file with another extension is read
 * as TSV if its first line contains a tab; otherwise, if no labels are needed, as one text per line.
 * @param columns the columns that will be used
 * @param atMost maximum number of bytes of a file; default: no limit, since rows needn't be kept
 * @throws TailtuneError "not-found", or "data" that names the file and, if the fault is in one row, the line
 */
export async function openTable(path: string, columns: Columns, atMost?: number): Promise<Table> {
	const entry = await stat(path).catch((error) => Promise.reject(toReadError(path, error)));
	if (entry.isDirectory()) return toTable(await parseFolder(path), () => {});
	return openTableOf(await openBytes(path, atMost), path, extname(path), columns);
}

/** Opens standard input as a stream of rows, in the format of a file with that extension; as `openTable`. */
export function openInputTable(extension: string, columns: Columns, atMost?: number): Promise<Table> {
	return openTableOf(openInput(atMost), STANDARD_INPUT, extension, columns);
}

/** Reads bytes as a stream of rows, in the format of a file with that extension; as `openTable`. */
export async function openTableOf(bytes: OpenBytes, file: string, extension: string, columns: Columns): Promise<Table> {
	try {
		const { start, isWhole, all } = await readStart(decodeText(bytes.chunks, file), SAMPLE_LENGTH);
		const text = start.join("");
		if (isWhole && text.trim() === "") throw new TailtuneError("data", `${file}: empty, expected texts`);
		const repair = lineEndRepair(text);
		const sample = { text: repair(text), isWhole };
		const parse = PARSERS[extension.toLowerCase()] ?? sniff(sample, file, extension, columns);
		return toTable(await parse({ chunks: readRepaired(all, repair), sample, file, columns }), bytes.close);
	} catch (error) {
		bytes.close();
		throw error;
	}
}

function toTable({ header, batches }: ParsedTable, close: () => void): Table {
	return { header, rows: oneByOne(batches), close };
}

async function* oneByOne(batches: RowBatches): AsyncGenerator<TableRow> {
	for await (const batch of batches) yield* batch;
}

function sniff(sample: Sample, file: string, extension: string, { labelColumn }: Columns): ParseTable {
	if (labelColumn === undefined) return extension.toLowerCase() !== ".txt" && hasTab(sample) ? parseTsv : parseLines;
	if (hasTab(sample)) return parseTsv;
	throw new TailtuneError("data", `${file}:1: no tab, expected label<TAB>text, or a file named .csv, .tsv or .jsonl`);
}

function hasTab({ text }: Sample): boolean {
	const [first = ""] = text.trimStart().split(/[\r\n]/, 1);
	return first.includes("\t");
}
