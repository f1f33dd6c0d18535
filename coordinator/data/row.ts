import { TailtuneError } from "../../shared/errors.ts";

/** Names of the columns (or fields) to read. */
export interface Columns {
	readonly textColumn: string;
	/** Undefined if no labels are needed. */
	readonly labelColumn: string | undefined;
}

/** Default names of the columns. */
export const DEFAULT_COLUMNS = { textColumn: "text", labelColumn: "label" } as const;

/** One row as read from a file; a missing field is undefined. */
export interface Row {
	readonly text: string | undefined;
	readonly label: string | undefined;
	/** "file:line" of the row's first line. */
	readonly source: string;
}

/** Reads the rows of a file's text. Throws TailtuneError "data" that names file and line. */
export type ReadRows = (content: string, file: string, columns: Columns) => Row[];

/** Returns the text of a row. Throws TailtuneError "data" that names the row if it is missing or only white space. */
export function textOf({ text, source }: Row): string {
	if (text?.trim()) return text;
	throw new TailtuneError("data", `${source}: the text is empty`);
}
