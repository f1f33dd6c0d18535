import type { TailtuneError } from "../../shared/errors.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import type { Encoding } from "./encodings.ts";

/** One row of a data file with all its fields. */
export interface TableRow {
	/** For messages: "file:line" of the row's first line, or the file if each row is a file. */
	readonly source: string;
	/** Names of the fields, in the order of the file. */
	readonly names: readonly string[];
	/** Value of each name: strings, or any JSON value if the format has types. A missing field is undefined. */
	readonly values: readonly unknown[];
	/** The row's own text if it is a JSON object: unlike `values`, it has all digits of long numbers. */
	readonly json?: string;
	/** Whether it is a blank line, or has only empty fields. Training skips such rows. */
	readonly isBlank: boolean;
	/** Set if the row can't be used, for example because it has too few fields; `values` are then the ones found. */
	readonly fault?: TailtuneError;
}

/** The columns of a table in which all rows have the same ones. */
export interface TableHeader {
	readonly names: readonly string[];
	/** "file:line" of the line that names them. Undefined if the format fixes the names (`text`, `label`). */
	readonly source?: string;
}

/** How a data file is written. */
export interface TableFormat {
	readonly name: "CSV" | "TSV" | "JSON lines" | "JSON list" | "lines" | "folder" | "Parquet";
	/** Separator of a CSV file's fields. */
	readonly separator?: string;
	/** Undefined for a binary format. */
	readonly encoding?: Encoding["name"];
	/** Whether the file is packed by gzip. */
	readonly isPacked?: boolean;
}

/** A data file as a stream of rows. Its memory doesn't grow with the number of rows. */
export interface Table {
	readonly format: TableFormat;
	/** Undefined if each row has its own names (JSON). */
	readonly header: TableHeader | undefined;
	/** Can be read once. Throws TailtuneError "data" if the rest of the file can't be read. */
	readonly rows: AsyncIterable<TableRow>;
	/** Closes the file; needed only if the rows are not read. */
	readonly close: () => void;
}

/** A text as parts of any length. */
export type TextChunks = AsyncIterable<string>;

/** Several rows at once, because reading one by one takes longer. */
export type RowBatches = AsyncIterable<readonly TableRow[]>;

/** The header and the rows of a text in one format. */
export interface ParsedTable {
	readonly format: Pick<TableFormat, "name" | "separator">;
	readonly header: TableHeader | undefined;
	readonly batches: RowBatches;
}

/** The start of a text, from which a format's details are detected. */
export interface Sample {
	readonly text: string;
	/** Whether it is the whole text. */
	readonly isWhole: boolean;
}

/** Names of the columns (or fields) to read. */
export interface Columns {
	readonly textColumn: string;
	/** Undefined if no labels are needed. */
	readonly labelColumn: string | undefined;
}

/** The columns to read, and how the file is written if that isn't to be detected. */
export interface TableOptions extends Columns {
	/** Default "auto". */
	readonly encoding?: TrainConfig["encoding"] | undefined;
	/** Separator of the fields: the file is read as CSV. Default: by the file's name, and detected for CSV. */
	readonly delimiter?: string | undefined;
	/** Whether a text may have several labels; a label can then be a list (JSON, Parquet). Default: false. */
	readonly multiLabel?: boolean | undefined;
}

/** Default names of the columns. */
export const DEFAULT_COLUMNS = { textColumn: "text", labelColumn: "label" } as const;

/** Returns the options of a table, with the default names of columns that aren't set. */
export function withDefaultColumns({
	textColumn,
	labelColumn,
	encoding,
	delimiter,
	multiLabel,
}: Partial<TableOptions>): TableOptions {
	return {
		textColumn: textColumn ?? DEFAULT_COLUMNS.textColumn,
		labelColumn: labelColumn ?? DEFAULT_COLUMNS.labelColumn,
		encoding,
		delimiter,
		multiLabel,
	};
}

/** A text to read as a table. */
export interface TableText {
	readonly chunks: TextChunks;
	readonly sample: Sample;
	/** Name for messages. */
	readonly file: string;
	/** The columns that will be used decide whether a first line is a header. */
	readonly options: TableOptions;
}

/**
 * Reads a text as a table in one format. Faults of single rows are in the rows.
 * @throws TailtuneError "data" that names file and line
 */
export type ParseTable = (text: TableText) => Promise<ParsedTable>;
