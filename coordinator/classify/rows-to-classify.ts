import { TailtuneError } from "../../shared/errors.ts";
import { columnPicker, textOf } from "../data/pick-columns.ts";
import type { Table, TableRow } from "../data/table.ts";

/** A row of a table with the text to classify, or the reason why it has none. */
export interface RowToClassify {
	readonly row: TableRow;
	readonly text: string | TailtuneError;
}

/**
 * Yields every row of a table. A blank line is a row only if each line is a text; between the rows of CSV or JSON it
 * isn't one, as for other readers of these formats.
 * @throws TailtuneError "data" if there is no such column, or the rest of the file can't be read
 */
export async function* listRows(table: Table, textColumn: string): AsyncGenerator<RowToClassify> {
	const pick = columnPicker(table, { textColumn, labelColumn: undefined });
	const linesAreTexts = table.format.name === "lines";
	for await (const row of table.rows) {
		if (row.isBlank && row.values.length <= 1 && !linesAreTexts) continue;
		yield { row, text: readText(() => textOf(pick(row))) };
	}
}

function readText(read: () => string): string | TailtuneError {
	try {
		return read();
	} catch (error) {
		if (error instanceof TailtuneError) return error;
		throw error;
	}
}

/** Rows of a batch: enough for groups of similar length. */
const BATCH_ROWS = 1024;
/** Characters of a batch after which no more rows are added, which bounds the memory. */
const BATCH_LENGTH = 4 << 20;

/** Collects rows to batches. */
export async function* collectBatches(rows: AsyncIterable<RowToClassify>): AsyncGenerator<RowToClassify[]> {
	let batch: RowToClassify[] = [];
	let length = 0;
	for await (const row of rows) {
		batch.push(row);
		length += typeof row.text === "string" ? row.text.length : 0;
		if (batch.length < BATCH_ROWS && length < BATCH_LENGTH) continue;
		yield batch;
		batch = [];
		length = 0;
	}
	if (batch.length > 0) yield batch;
}
