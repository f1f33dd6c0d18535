import { TailtuneError } from "../../shared/errors.ts";
import { MOST_TEXT_BYTES } from "../../shared/files/regular-file.ts";
import { openTable } from "./open-table.ts";
import { columnPicker, type Row } from "./pick-columns.ts";
import type { Columns, Table, TableFormat, TableOptions } from "./table.ts";

/**
 * Reads the texts, and labels if wanted, of a file or a folder into memory, as `openTable` does. Blank rows are
 * skipped.
 * @param onFormat called with the format of the file
 * @returns at least one row
 * @throws TailtuneError as `openTable`, for the first row that can't be used, or for a file that is too large
 */
export async function readRows(
	path: string,
	options: TableOptions,
	onFormat: (format: TableFormat) => void = () => {},
): Promise<Row[]> {
	const table = await openTable(path, options, MOST_TEXT_BYTES);
	onFormat(table.format);
	return collectRows(table, path, options);
}

/** Reads all rows of a table that aren't blank. @param name name of the table for messages */
async function collectRows(
	table: Table,
	name: string,
	columns: Columns & Pick<TableOptions, "multiLabel">,
): Promise<Row[]> {
	const rows: Row[] = [];
	try {
		const pick = columnPicker(table, columns);
		for await (const row of table.rows) if (!row.isBlank) rows.push(pick(row));
	} finally {
		table.close();
	}
	if (rows.length === 0) throw new TailtuneError("data", `${name}: contains no texts, expected at least one`);
	return rows;
}
