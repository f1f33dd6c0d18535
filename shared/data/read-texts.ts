import { readRows } from "./read-rows.ts";
import { textOf } from "./row.ts";

/**
 * Texts without labels: of a file or folder as for `readDataset`, or of a file with a text a line (.txt, or any that isn't
 * `label<TAB>text` lines).
 * @param columns textColumn: the column (or field) of a CSV or JSONL file; default "text"
 * @throws TailtuneError "not-found" or "data" that names the file and the line
 */
export async function readTexts(path: string, columns: { readonly textColumn?: string } = {}): Promise<string[]> {
	return (await readRows(path, { textColumn: columns.textColumn ?? "text", labelColumn: undefined })).map(textOf);
}
