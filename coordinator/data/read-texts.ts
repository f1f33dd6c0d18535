import { MOST_TEXT_BYTES } from "../../shared/files/regular-file.ts";
import type { SourcedText } from "./dataset.ts";
import { STANDARD_INPUT } from "./open-bytes.ts";
import { openInputTable } from "./open-table.ts";
import { textOf } from "./pick-columns.ts";
import { collectRows, readRows } from "./read-rows.ts";
import { DEFAULT_COLUMNS, type TableOptions, withDefaultColumns } from "./table.ts";

/**
 * Reads texts without labels: from a file or folder as `openTable`, for example a file with one text per line.
 * @param columns textColumn: the column (or field) with the text; default "text"
 * @throws TailtuneError "not-found" or "data" that names the file and the line
 */
export async function readTexts(
	path: string,
	columns: Partial<Omit<TableOptions, "labelColumn">> = {},
): Promise<SourcedText[]> {
	const rows = await readRows(path, { ...withDefaultColumns(columns), labelColumn: undefined });
	return rows.map((row) => ({ text: textOf(row), source: row.source }));
}

/** Reads one text per line from standard input; blank lines are skipped. */
export async function readInputTexts(): Promise<SourcedText[]> {
	const columns = { textColumn: DEFAULT_COLUMNS.textColumn, labelColumn: undefined };
	const rows = await collectRows(await openInputTable(".txt", columns, MOST_TEXT_BYTES), STANDARD_INPUT, columns);
	return rows.map((row) => ({ text: textOf(row), source: row.source }));
}
