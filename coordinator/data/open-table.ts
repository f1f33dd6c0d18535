import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { toReadError } from "../../shared/files/regular-file.ts";
import { parseCsv } from "./csv-table.ts";
import { decodeText } from "./decode-text.ts";
import { detectEncoding } from "./encodings.ts";
import { isGzip, isParquetFile, refuseOtherKinds } from "./file-kinds.ts";
import { parseFolder } from "./folder-table.ts";
import { parseJson } from "./json-table.ts";
import { parseJsonl } from "./jsonl-table.ts";
import { lineEndRepair, readRepaired } from "./line-ends.ts";
import { parseLines } from "./lines-table.ts";
import { type OpenBytes, openBytes, openInput, readWithin, STANDARD_INPUT } from "./open-bytes.ts";
import { readStart } from "./read-start.ts";
import type {
	ParsedTable,
	ParseTable,
	RowBatches,
	Sample,
	Table,
	TableFormat,
	TableOptions,
	TableRow,
} from "./table.ts";
import { parseTsv } from "./tsv-table.ts";
import { unpackGzip } from "./unpack.ts";

const PARSERS: Readonly<Record<string, ParseTable>> = {
	".tsv": parseTsv,
	".csv": parseCsv,
	".jsonl": parseJsonl,
	".ndjson": parseJsonl,
	".json": parseJson,
};

/** Bytes from which packing and encoding are detected. */
const DETECTED_BYTES = 4096;
/** Characters from which the details of a format (separator, header, line ends) are detected. */
const SAMPLE_LENGTH = 1 << 20;

/**
 * Opens a file or a folder as a stream of rows. The extension decides the format, without `.gz`. A file with another
 * extension is read as TSV if its first line contains a tab; otherwise, if no labels are needed, as one text per line.
 * @param options the columns that will be used, and how the file is written if that isn't to be detected
 * @param atMost maximum number of bytes of a file, after unpacking; default: no limit, since rows needn't be kept
 * @throws TailtuneError "not-found", or "data" that names the file and, if the fault is in one row, the line
 */
export async function openTable(path: string, options: TableOptions, atMost?: number): Promise<Table> {
	const entry = await stat(path).catch((error) => Promise.reject(toReadError(path, error)));
	if (entry.isDirectory()) return toTable(await parseFolder(path, options), {}, () => {});
	if (entry.isFile() && (await isParquetFile(path))) {
		const { openParquet } = await import("./parquet-table.ts");
		const { batches, ...table } = await openParquet(path);
		return { ...table, rows: oneByOne(batches) };
	}
	return openTableOf(await openBytes(path, atMost), path, extensionOf(path), options, atMost);
}

/** Opens standard input as a stream of rows, in the format of a file with that extension; as `openTable`. */
export function openInputTable(extension: string, options: TableOptions, atMost?: number): Promise<Table> {
	return openTableOf(openInput(atMost), STANDARD_INPUT, extension, options, atMost);
}

/** Reads bytes as a stream of rows, in the format of a file with that extension; as `openTable`. */
export async function openTableOf(
	bytes: OpenBytes,
	file: string,
	extension: string,
	options: TableOptions,
	atMost?: number,
): Promise<Table> {
	try {
		const packed = await readStart(bytes.chunks, DETECTED_BYTES);
		const isPacked = isGzip(Buffer.concat(packed.start));
		const unpacked = isPacked ? readWithin(unpackGzip(packed.all, file), `${file}: unpacked`, atMost) : packed.all;
		const { start, all } = await readStart(unpacked, DETECTED_BYTES);
		const first = Buffer.concat(start);
		refuseOtherKinds(first, file);
		const encoding = detectEncoding(first, options.encoding);
		const parsed = await parseText(decodeText(all, encoding, file), file, extension, options);
		return toTable(parsed, { encoding: encoding.name, isPacked }, bytes.close);
	} catch (error) {
		bytes.close();
		throw error;
	}
}

async function parseText(
	content: AsyncIterable<string>,
	file: string,
	extension: string,
	options: TableOptions,
): Promise<ParsedTable> {
	const { start, isWhole, all } = await readStart(content, SAMPLE_LENGTH);
	const text = start.join("");
	if (isWhole && text.trim() === "") throw new TailtuneError("data", `${file}: empty, expected texts`);
	const repair = lineEndRepair(text);
	const sample = { text: repair(text), isWhole };
	const parse = options.delimiter === undefined ? parserOf(sample, file, extension, options) : parseCsv;
	return parse({ chunks: readRepaired(all, repair), sample, file, options });
}

function toTable({ format, header, batches }: ParsedTable, how: Partial<TableFormat>, close: () => void): Table {
	return { format: { ...format, ...how }, header, rows: oneByOne(batches), close };
}

async function* oneByOne(batches: RowBatches): AsyncGenerator<TableRow> {
	for await (const batch of batches) yield* batch;
}

function extensionOf(path: string): string {
	return extname(path.replace(/\.gz$/i, ""));
}

function parserOf(sample: Sample, file: string, extension: string, { labelColumn }: TableOptions): ParseTable {
	const parse = PARSERS[extension.toLowerCase()];
	if (parse) return parse;
	if (labelColumn === undefined) return extension.toLowerCase() !== ".txt" && hasTab(sample) ? parseTsv : parseLines;
	if (hasTab(sample)) return parseTsv;
	throw new TailtuneError("data", `${file}:1: no tab, expected label<TAB>text, or a file named .csv, .tsv or .jsonl`);
}

function hasTab({ text }: Sample): boolean {
	const [first = ""] = text.trimStart().split(/[\r\n]/, 1);
	return first.includes("\t");
}
