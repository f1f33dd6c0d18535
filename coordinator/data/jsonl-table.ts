import { TailtuneError } from "../../shared/errors.ts";
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
	const line = text.trim();
	const none = { source, names: [], values: [], isBlank: line === "" };
	if (none.isBlank) return none;
	const fault = (found: string, cause?: unknown) => ({
		...none,
		fault: new TailtuneError("data", `${source}: ${found}, expected one JSON object per line`, { cause }),
	});
	let value: unknown;
	try {
		value = JSON.parse(line);
	} catch (cause) {
		return fault("not JSON", cause);
	}
	if (typeof value !== "object" || value === null || Array.isArray(value)) return fault(`found ${kindOf(value)}`);
	return { ...none, json: line, names: Object.keys(value), values: Object.values(value) };
}

/** Names the type of a JSON value, for messages. */
export function kindOf(value: unknown): string {
	if (value === null) return "null";
	if (Array.isArray(value)) return "a list";
	return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
