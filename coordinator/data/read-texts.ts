import type { SourcedText } from "./dataset.ts";
import { readRows } from "./read-rows.ts";
import { DEFAULT_COLUMNS, textOf } from "./row.ts";

/**
 * Reads texts without labels: from a file or folder as `readDataset`, or from a file with one text per line (.txt, or
 * any other without a tab in its first line).
 * @param columns textColumn: the column (or field) of a CSV, TSV or JSONL file; default "text"
 * @throws TailtuneError "not-found" or "data" that names the file and the line
 */
export async function readTexts(
	path: string,
	{ textColumn = DEFAULT_COLUMNS.textColumn }: { readonly textColumn?: string } = {},
): Promise<SourcedText[]> {
	const rows = await readRows(path, { textColumn, labelColumn: undefined });
	return rows.map((row) => ({ text: textOf(row), source: row.source }));
}
