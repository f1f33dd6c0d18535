import { TailtuneError } from "../../shared/errors.ts";
import { findField } from "./find-field.ts";
import { findColumn } from "./header.ts";
import { kindOf, refuseRounded } from "./json-row.ts";
import type { Columns, Table, TableOptions, TableRow } from "./table.ts";

/** Text and label of a row; a missing one is undefined. */
export interface Row {
	readonly text: string | undefined;
	readonly label: string | undefined;
	/** For messages: "file:line" of the row's first line, or the file if each row is a file. */
	readonly source: string;
}

type PickedColumns = Columns & Pick<TableOptions, "multiLabel">;

/** Between the texts of several columns: a blank line, as between paragraphs. GPT-2 has no separator token. */
const BETWEEN_TEXTS = "\n\n";

/** Returns the names in `--text-column`: one, or several with commas between. */
export function splitNames(textColumn: string): string[] {
	const names = textColumn.split(",").map((name) => name.trim());
	return names.every((name) => name !== "") ? names : [textColumn];
}

/**
 * Returns the function that takes text and label from a table's row. The texts of several columns are joined without
 * the empty ones. In JSON, a label may be a string, a number or a boolean, and a name may be a path (`payload.body`).
 * @returns a function that throws TailtuneError "data" that names the row for one with a fault, or with a missing field
 *   or one of another type
 * @throws TailtuneError "data" if the header has no such column
 */
export function columnPicker({ header }: Pick<Table, "header">, columns: PickedColumns): (row: TableRow) => Row {
	if (header === undefined) return (row) => pickFields(usable(row), columns);
	const { names, source } = header;
	const placeOf = (column: string, flag: string) => findColumn(names, column, flag, source ?? "");
	const isOneColumn = names.some((name) => name.trim() === columns.textColumn);
	const textNames = isOneColumn ? [columns.textColumn] : splitNames(columns.textColumn);
	const texts =
		source === undefined ? [names.indexOf("text")] : textNames.map((name) => placeOf(name, "--text-column"));
	const label = columns.labelColumn === undefined ? -1 : labelPlace(columns.labelColumn);
	return (row) => {
		const { values } = usable(row);
		const found = texts.map((place) => toText(values[place]));
		return { text: joinTexts(found), label: toText(values[label]), source: row.source };
	};

	function labelPlace(column: string): number {
		return source === undefined ? names.indexOf("label") : placeOf(column, "--label-column");
	}
}

/** Returns the text of a row. Throws TailtuneError "data" that names the row if it is missing or only white space. */
export function textOf({ text, source }: Row): string {
	if (text?.trim()) return text;
	throw new TailtuneError("data", `${source}: the text is empty`);
}

function joinTexts(texts: readonly (string | undefined)[]): string | undefined {
	return texts.length === 1 ? texts[0] : texts.filter((text) => text?.trim()).join(BETWEEN_TEXTS);
}

function usable(row: TableRow): TableRow {
	if (row.fault) throw row.fault;
	return row;
}

function toText(value: unknown): string | undefined {
	if (value === undefined) return undefined;
	return Array.isArray(value) ? JSON.stringify(value) : String(value);
}

function pickFields(row: TableRow, { textColumn, labelColumn, multiLabel }: PickedColumns): Row {
	const { source } = row;
	const names = row.names.includes(textColumn) ? [textColumn] : splitNames(textColumn);
	const text = joinTexts(names.map((name) => readText(row, name, names.length > 1)));
	if (labelColumn === undefined) return { text, label: undefined, source };
	const label = findField(row, labelColumn, "--label-column");
	if (multiLabel && (label === null || Array.isArray(label)))
		return { text, label: label === null ? undefined : JSON.stringify(label), source };
	if (typeof label !== "string" && typeof label !== "number" && typeof label !== "boolean") {
		const lists = Array.isArray(label) ? "; or --multi-label for several labels per text" : "";
		const found = `found ${kindOf(label)}, expected a string or a number${lists}`;
		throw new TailtuneError("data", `${source}: ${labelColumn}: ${found}`);
	}
	refuseRounded(label, `${source}: ${labelColumn}`);
	return { text, label: String(label), source };
}

function readText(row: TableRow, name: string, mayBeNull: boolean): string | undefined {
	const text = findField(row, name, "--text-column");
	if (typeof text === "string") return text;
	if (text === null && mayBeNull) return undefined;
	throw new TailtuneError("data", `${row.source}: ${name}: found ${kindOf(text)}, expected a string`);
}
