import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { toReadError } from "../../shared/files/regular-file.ts";
import { readTextFile } from "../../shared/files/text-file.ts";
import { repairLineEnds } from "./line-ends.ts";
import { readCsv } from "./read-csv.ts";
import { readFolder } from "./read-folder.ts";
import { readJsonl } from "./read-jsonl.ts";
import { readLines } from "./read-lines.ts";
import { readTsv } from "./read-tsv.ts";
import type { Columns, ReadRows, Row } from "./row.ts";

const READERS: Readonly<Record<string, ReadRows>> = {
	".tsv": readTsv,
	".csv": readCsv,
	".jsonl": readJsonl,
	".ndjson": readJsonl,
};

/**
 * Reads the rows of a file or a folder. The extension decides the format. A file with another extension is read as TSV
 * if its first line contains a tab; otherwise, if no labels are needed, as one text per line.
 * @returns at least one row
 * @throws TailtuneError "not-found", or "data" that names the file and, if the fault is in one row, the line
 */
export async function readRows(path: string, columns: Columns): Promise<Row[]> {
	const entry = await stat(path).catch((error) => Promise.reject(toReadError(path, error)));
	const rows = entry.isDirectory() ? await readFolder(path) : await readFile(path, columns);
	if (rows.length === 0) throw new TailtuneError("data", `${path}: contains no texts, expected at least one`);
	return rows;
}

async function readFile(file: string, columns: Columns): Promise<Row[]> {
	const content = repairLineEnds(await readTextFile(file));
	if (content.trim() === "") throw new TailtuneError("data", `${file}: empty, expected texts`);
	const read = READERS[extname(file).toLowerCase()] ?? sniff(content, file, columns);
	return read(content, file, columns);
}

function sniff(content: string, file: string, { labelColumn }: Columns): ReadRows {
	if (labelColumn === undefined) return extname(file).toLowerCase() !== ".txt" && hasTab(content) ? readTsv : readLines;
	if (hasTab(content)) return readTsv;
	throw new TailtuneError("data", `${file}:1: no tab, expected label<TAB>text, or a file named .csv, .tsv or .jsonl`);
}

function hasTab(content: string): boolean {
	const [first = ""] = content.trimStart().split(/[\r\n]/, 1);
	return first.includes("\t");
}
