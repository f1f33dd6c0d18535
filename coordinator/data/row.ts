import { TailtuneError } from "../../shared/errors.ts";

/** Which columns (or fields) to read. */
export interface Columns {
	readonly textColumn: string;
	/** Undefined if no labels are wanted. */
	readonly labelColumn: string | undefined;
}

/** The columns that are read unless others are named. */
export const DEFAULT_COLUMNS = { textColumn: "text", labelColumn: "label" } as const;

/** What a format's reader finds in one row; undefined where there is nothing. */
export interface Row {
	readonly text: string | undefined;
	readonly label: string | undefined;
	/** "file:line" of its beginning. */
	readonly source: string;
}

/** Reads the rows of a file's text. Throws TailtuneError "data" that names file and line. */
export type ReadRows = (content: string, file: string, columns: Columns) => Row[];

/** The text of a row. Throws TailtuneError "data" that names the row if there is none, or only white space. */
export function textOf({ text, source }: Row): string {
	if (text?.trim()) return text;
	throw new TailtuneError("data", `${source}: no text, expected a text`);
}
