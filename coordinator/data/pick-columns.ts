import { TailtuneError } from "../../shared/errors.ts";
import { findColumn } from "./header.ts";
import { kindOf } from "./jsonl-table.ts";
import { nameSome } from "./name-some.ts";
import type { Columns, Table, TableRow } from "./table.ts";

/** Text and label of a row; a missing one is undefined. */
export interface Row {
	readonly text: string | undefined;
	readonly label: string | undefined;
	/** For messages: "file:line" of the row's first line, or the file if each row is a file. */
	readonly source: string;
}

/**
 * Returns the function that takes text and label from a table's row. In JSON, a label may be a string, a number or a
 * boolean.
 * @returns a function that throws TailtuneError "data" that names the row for one with a fault, or with a missing field
 *   or one of another type
 * @throws TailtuneError "data" if the header has no such column
 */
export function columnPicker({ header }: Pick<Table, "header">, columns: Columns): (row: TableRow) => Row {
	if (header === undefined) return (row) => pickFields(usable(row), columns);
	const { names, source } = header;
	const placeOf = (column: string, flag: string) =>
		source === undefined
			? names.indexOf(flag === "--text-column" ? "text" : "label")
			: findColumn(names, column, flag, source);
	const text = placeOf(columns.textColumn, "--text-column");
	const label = columns.labelColumn === undefined ? -1 : placeOf(columns.labelColumn, "--label-column");
	return (row) => {
		const { values } = usable(row);
		return { text: toText(values[text]), label: toText(values[label]), source: row.source };
	};
}

/** Returns the text of a row. Throws TailtuneError "data" that names the row if it is missing or only white space. */
export function textOf({ text, source }: Row): string {
	if (text?.trim()) return text;
	throw new TailtuneError("data", `${source}: the text is empty`);
}

function usable(row: TableRow): TableRow {
	if (row.fault) throw row.fault;
	return row;
}

function toText(value: unknown): string | undefined {
	return value === undefined ? undefined : String(value);
}

function pickFields(row: TableRow, { textColumn, labelColumn }: Columns): Row {
	const { source } = row;
	const text = readField(row, textColumn, "--text-column");
	if (typeof text !== "string") {
		throw new TailtuneError("data", `${source}: ${textColumn}: found ${kindOf(text)}, expected a string`);
	}
	if (labelColumn === undefined) return { text, label: undefined, source };
	const label = readField(row, labelColumn, "--label-column");
	if (typeof label !== "string" && typeof label !== "number" && typeof label !== "boolean") {
		const found = `found ${kindOf(label)}, expected a string or a number`;
		throw new TailtuneError("data", `${source}: ${labelColumn}: ${found}`);
	}
	refuseRounded(label, `${source}: ${labelColumn}`);
	return { text, label: String(label), source };
}

/** Refuses numbers that JSON.parse rounds: two different labels could become equal. */
function refuseRounded(label: unknown, place: string): void {
	if (typeof label !== "number" || Math.abs(label) <= Number.MAX_SAFE_INTEGER) return;
	throw new TailtuneError(
		"data",
		`${place}: found a number of more than 15 digits, expected it as a string, in quotes`,
	);
}

function readField({ names, values, source }: TableRow, name: string, flag: string): unknown {
	const place = names.indexOf(name);
	if (place >= 0) return values[place];
	const found = nameSome(names) || "none";
	throw new TailtuneError("data", `${source}: no field ${JSON.stringify(name)} (${flag}); found ${found}`);
}
