import { TailtuneError } from "../../shared/errors.ts";
import { describeFormat } from "./describe-format.ts";
import { normalizeLabel } from "./label.ts";
import { splitLabels, type TextWithLabels } from "./label-sets.ts";
import { openTable } from "./open-table.ts";
import { columnPicker, textOf } from "./pick-columns.ts";
import type { TableOptions } from "./table.ts";

/** The rows of a file as training would read them, and the rows that it would refuse. */
export interface RowSurvey {
	readonly file: string;
	/** For people. */
	readonly format: string;
	/** Names of the columns, or of the fields of the first row. */
	readonly columns: readonly string[];
	readonly texts: readonly TextWithLabels[];
	/** Rows that training refuses. */
	readonly refused: number;
	/** Messages about the first of them. */
	readonly refusals: readonly string[];
}

const MOST_REFUSALS = 5;

/**
 * Reads a file or a folder for training, rows that can't be used too.
 * @param atMost maximum number of bytes of a file
 * @throws TailtuneError as `openTable`, and "data" if the header hasn't the columns
 */
export async function readSurvey(file: string, options: TableOptions, atMost: number): Promise<RowSurvey> {
	const table = await openTable(file, options, atMost);
	const texts: TextWithLabels[] = [];
	const refusals: string[] = [];
	let refused = 0;
	let columns = table.header?.names;
	try {
		const pick = columnPicker(table, options);
		for await (const row of table.rows) {
			if (row.isBlank) continue;
			columns ??= row.names;
			try {
				const picked = pick(row);
				const text = textOf(picked);
				const labels = options.multiLabel
					? splitLabels(picked.label, row.source)
					: [normalizeLabel(picked.label ?? "")];
				if (labels.includes("")) throw new TailtuneError("data", `${row.source}: no label`);
				texts.push({ text, labels, source: row.source });
			} catch (error) {
				if (!(error instanceof TailtuneError)) throw error;
				if (refused++ < MOST_REFUSALS) refusals.push(error.message);
			}
		}
	} finally {
		table.close();
	}
	return { file, format: describeFormat(table.format), columns: columns ?? [], texts, refused, refusals };
}
