import { TailtuneError } from "../../shared/errors.ts";
import { type Dataset, toDataset } from "./dataset.ts";
import { normalizeLabel } from "./label.ts";
import { textOf } from "./pick-columns.ts";
import { readRows } from "./read-rows.ts";
import { DEFAULT_COLUMNS } from "./table.ts";

/** Names of the columns to read (CSV, TSV with a header) or of the fields (JSONL). */
export interface DatasetColumns {
	/** Default "text". */
	readonly textColumn?: string;
	/** Default "label". */
	readonly labelColumn?: string;
}

/**
 * Reads labelled texts from a file (.tsv .csv .jsonl, or any other with `label<TAB>text` lines) or from a folder with
 * one folder per label. UTF-8 with or without byte order mark. Labels are normalized by `normalizeLabel`.
 * @throws TailtuneError "not-found" or "data" that names the file and the line
 */
export async function readDataset(path: string, columns: DatasetColumns = {}): Promise<Dataset> {
	const { textColumn, labelColumn } = { ...DEFAULT_COLUMNS, ...columns };
	const rows = await readRows(path, { textColumn, labelColumn });
	return toDataset(
		rows.map((row) => {
			const text = textOf(row);
			const { source } = row;
			const label = normalizeLabel(row.label ?? "");
			if (label !== "") return { text, label, source };
			throw new TailtuneError("data", `${source}: no label, expected a label and a text`);
		}),
	);
}
