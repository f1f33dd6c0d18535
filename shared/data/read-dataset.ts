import { TailtuneError } from "../errors.ts";
import { type Dataset, toDataset } from "./dataset.ts";
import { readRows } from "./read-rows.ts";
import { textOf } from "./row.ts";

/** Which columns (or fields) of a CSV or JSONL file to read. */
export interface DatasetColumns {
	/** Default "text". */
	readonly textColumn?: string;
	/** Default "label". */
	readonly labelColumn?: string;
}

/**
 * Labelled texts of a file (.tsv .csv .jsonl, or any other with `label<TAB>text` lines) or of a folder with a folder
 * for each label. UTF-8 with or without byte order mark; LF or CRLF.
 * @throws TailtuneError "not-found" or "data" that names the file and the line
 */
export async function readDataset(path: string, columns: DatasetColumns = {}): Promise<Dataset> {
	const { textColumn = "text", labelColumn = "label" } = columns;
	const rows = await readRows(path, { textColumn, labelColumn });
	return toDataset(
		rows.map((row) => {
			const text = textOf(row);
			const { label, source } = row;
			if (label?.trim()) return { text, label, source };
			throw new TailtuneError("data", `${source}: no label, expected a label and a text`);
		}),
	);
}
