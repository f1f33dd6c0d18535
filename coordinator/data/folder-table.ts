import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { MOST_TEXT_BYTES, readRegularFile, toReadError } from "../../shared/files/regular-file.ts";
import { decodeWhole } from "./decode-text.ts";
import { detectEncoding } from "./encodings.ts";
import { repairLineEnds } from "./line-ends.ts";
import type { ParsedTable, RowBatches, TableOptions, TableRow } from "./table.ts";

// A folder may contain more files than a process may have open.
const OPEN_FILES = 64;

const NAMES = ["label", "text"];

/**
 * Reads a folder with one folder per label and one file per text. Line ends become LF, and the last one is removed.
 * Hidden files, and files next to the label folders, are skipped.
 * @throws TailtuneError "data" if there is no label folder, or one is empty or contains a folder or a file that isn't
 * text
 */
export async function parseFolder(folder: string, { encoding }: Pick<TableOptions, "encoding">): Promise<ParsedTable> {
	const labels = (await list(folder)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
	if (labels.length === 0) throw new TailtuneError("data", `${folder}: no folders in it, expected one for each label`);
	return { format: { name: "folder" }, header: { names: NAMES }, batches: readLabels(folder, labels, encoding) };
}

async function* readLabels(folder: string, labels: readonly string[], encoding: TableOptions["encoding"]): RowBatches {
	for (const label of labels) {
		const files = await listTexts(join(folder, label));
		for (let first = 0; first < files.length; first += OPEN_FILES) {
			yield Promise.all(files.slice(first, first + OPEN_FILES).map((file) => readRow(file, label, encoding)));
		}
	}
}

async function listTexts(folder: string): Promise<string[]> {
	const files = (await list(folder)).map((entry) => {
		const file = join(folder, entry.name);
		if (!entry.isDirectory()) return file;
		throw new TailtuneError("data", `${file}: found a folder, expected only files in a label's folder`);
	});
	if (files.length > 0) return files;
	throw new TailtuneError("data", `${folder}: no files in it, expected one for each text; or remove the folder`);
}

async function readRow(file: string, label: string, asked: TableOptions["encoding"]): Promise<TableRow> {
	const bytes = await readRegularFile(file, MOST_TEXT_BYTES, "data");
	const content = repairLineEnds(decodeWhole(bytes, detectEncoding(bytes, asked), file)).replaceAll(/\r\n?/g, "\n");
	return { source: file, names: NAMES, values: [label, content.replace(/\n$/, "")], isBlank: false };
}

/** Lists the entries that aren't hidden; sorted, because the order differs between file systems. */
async function list(folder: string) {
	const entries = await readdir(folder, { withFileTypes: true }).catch((error) =>
		Promise.reject(toReadError(folder, error)),
	);
	return entries.filter(({ name }) => !name.startsWith(".")).sort((a, b) => (a.name < b.name ? -1 : 1));
}
