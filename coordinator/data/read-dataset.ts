import { TailtuneError } from "../../shared/errors.ts";
import { type Dataset, toDataset } from "./dataset.ts";
import { describeFormat, isUnusual } from "./describe-format.ts";
import { normalizeLabel } from "./label.ts";
import { splitLabels, toLabelSets } from "./label-sets.ts";
import { type Row, textOf } from "./pick-columns.ts";
import { readRows } from "./read-rows.ts";
import { type TableOptions, withDefaultColumns } from "./table.ts";

/** Names of the columns to read (CSV, TSV with a header) or of the fields (JSON, Parquet), and the file's format. */
export interface DatasetColumns extends Pick<TableOptions, "encoding" | "delimiter" | "multiLabel"> {
	/** Default "text". */
	readonly textColumn?: string;
	/** Default "label". */
	readonly labelColumn?: string;
	/** Called with a line for people if another separator or encoding was detected than most files have. */
	readonly say?: (line: string) => void;
	/** Called for each file or folder when it is read. */
	readonly onFile?: (file: ReadFile) => void;
}

/** A file or folder with texts that was read. */
export interface ReadFile {
	readonly file: string;
	/** Format, separator, encoding and packing, for people. */
	readonly format: string;
	readonly texts: number;
}

/**
 * Reads labelled texts from a file, or several, as `openTable`, or from a folder with one folder per label. Labels are
 * normalized by `normalizeLabel`. With `multiLabel` a text has any number of labels, see `splitLabels`.
 * @throws TailtuneError "not-found" or "data" that names the file and the line
 */
export async function readDataset(
	paths: string | readonly string[],
	{ say, onFile, ...columns }: DatasetColumns = {},
): Promise<Dataset> {
	const rows: Row[] = [];
	for (const path of [paths].flat()) {
		let format = "";
		const read = await readRows(path, withDefaultColumns(columns), (found) => {
			format = describeFormat(found);
			if (isUnusual(found)) say?.(`${path}: read as ${format}`);
		});
		onFile?.({ file: path, format, texts: read.length });
		for (const row of read) rows.push(row);
	}
	if (columns.multiLabel)
		return toLabelSets(
			rows.map((row) => ({ text: textOf(row), source: row.source, labels: splitLabels(row.label, row.source) })),
		);
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
