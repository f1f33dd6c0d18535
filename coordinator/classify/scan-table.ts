import { TailtuneError } from "../../shared/errors.ts";
import type { SourcedText } from "../data/dataset.ts";
import type { Table } from "../data/table.ts";
import { collectBatches, listRows } from "./rows-to-classify.ts";

/** What a first pass over a table found. */
export interface ScannedTable {
	readonly rows: number;
	/** Names of all columns, in the order in which they first occur. */
	readonly names: readonly string[];
}

/** Maximum number of columns: that of a spreadsheet. */
const MOST_COLUMNS = 16_384;

/**
 * Reads a table once before it is classified. This takes seconds, not hours, so a bad row ends the command before
 * anything is computed; and the number of rows is needed to estimate the time.
 * @param findFault returns the error of the first text that can't be classified
 * @throws TailtuneError "data" if there are no rows, for the first row that can't be classified unless such rows are
 *   skipped, or if there are too many columns
 */
export async function scanTable(
	table: Table,
	{ textColumn, skipBad }: { readonly textColumn: string; readonly skipBad: boolean },
	findFault: (texts: readonly SourcedText[]) => Promise<TailtuneError | undefined>,
): Promise<ScannedTable> {
	const names = new Set(table.header?.names);
	let rows = 0;
	for await (const batch of collectBatches(listRows(table, textColumn))) {
		rows += batch.length;
		for (const { row, text } of batch) {
			if (text instanceof TailtuneError && !skipBad) throw text;
			if (!table.header) for (const name of row.names) names.add(name);
			if (names.size <= MOST_COLUMNS) continue;
			const found = `found more than ${MOST_COLUMNS} columns, expected at most that`;
			throw new TailtuneError("data", `${row.source}: ${found}`);
		}
		if (skipBad) continue;
		const texts = batch.map(({ row, text }) => ({ text: String(text), source: row.source }));
		const fault = await findFault(texts);
		if (fault) throw fault;
	}
	return { rows, names: [...names] };
}
