import { readLines } from "./line-ends.ts";
import type { ParsedTable, RowBatches, TableText } from "./table.ts";

const NAMES = ["text"];

/** Reads every line as a text without a label. */
export async function parseLines({ chunks, file }: TableText): Promise<ParsedTable> {
	return { format: { name: "lines" }, header: { names: NAMES }, batches: toRows(chunks, file) };
}

async function* toRows(chunks: TableText["chunks"], file: string): RowBatches {
	for await (const lines of readLines(chunks, file)) {
		yield lines.map(({ text, number }) => ({
			source: `${file}:${number}`,
			names: NAMES,
			values: [text],
			isBlank: text.trim() === "",
		}));
	}
}
