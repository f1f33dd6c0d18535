import { parseObject } from "./json-row.ts";
import { type Line, readLines } from "./line-ends.ts";
import type { ParsedTable, RowBatches, TableRow, TableText } from "./table.ts";

/** Reads lines of JSON objects. A line that is something else has a fault. */
export async function parseJsonl({ chunks, file }: TableText): Promise<ParsedTable> {
	return { format: { name: "JSON lines" }, header: undefined, batches: toRows(chunks, file) };
}

async function* toRows(chunks: TableText["chunks"], file: string): RowBatches {
	for await (const lines of readLines(chunks, file)) yield lines.map((line) => toRow(line, file));
}

function toRow({ text, number }: Line, file: string): TableRow {
	const source = `${file}:${number}`;
	const json = text.trim();
	if (json === "") return { source, names: [], values: [], isBlank: true };
	const row = parseObject(json, source, "one JSON object per line");
	return row.fault ? row : { ...row, json };
}
