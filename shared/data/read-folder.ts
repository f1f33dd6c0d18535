import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { TailtuneError } from "../errors.ts";
import type { Row } from "./row.ts";
import { readTextFile, toReadError } from "./text-file.ts";

// A folder may hold more files than a process may have open.
const OPEN_FILES = 64;

/**
 * A row for every file in the folders of a folder: their names are the labels, the files' contents the texts (a line
 * break at the end is none of it). Hidden files, and files beside the folders, are passed over.
 * @throws TailtuneError "data" where there are no folders, a folder in them, or a file that isn't UTF-8
 */
export async function readFolder(folder: string): Promise<Row[]> {
	const labels = (await list(folder)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
	if (labels.length === 0) throw new TailtuneError("data", `${folder}: no folders in it, expected one for each label`);
	const rows: Row[] = [];
	for (const label of labels) {
		const files = (await list(join(folder, label))).map((entry) => {
			const file = join(folder, label, entry.name);
			if (!entry.isDirectory()) return file;
			throw new TailtuneError("data", `${file}: found a folder, expected only files in a label's folder`);
		});
		for (let first = 0; first < files.length; first += OPEN_FILES) {
			const some = files.slice(first, first + OPEN_FILES).map((file) => readRow(file, label));
			rows.push(...(await Promise.all(some)));
		}
	}
	return rows;
}

async function readRow(file: string, label: string): Promise<Row> {
	const content = await readTextFile(file);
	return { text: content.replaceAll("\r\n", "\n").replace(/\n$/, ""), label, source: file };
}

/** What isn't hidden, sorted, since the order of a folder differs between file systems. */
async function list(folder: string) {
	const entries = await readdir(folder, { withFileTypes: true }).catch((error) =>
		Promise.reject(toReadError(folder, error)),
	);
	return entries.filter(({ name }) => !name.startsWith(".")).sort((a, b) => (a.name < b.name ? -1 : 1));
}
