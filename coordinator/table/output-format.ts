import { extname } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";

const FORMATS = { ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl" } as const;

/** Format of a table that is written: RFC 4180, or one JSON object per line. */
export type OutputFormat = (typeof FORMATS)[keyof typeof FORMATS];

/** Returns the format that a file's extension stands for. @throws TailtuneError "usage" for other extensions */
export function outputFormatOf(file: string): OutputFormat {
	const extension = extname(file).toLowerCase();
	if (Object.hasOwn(FORMATS, extension)) return FORMATS[extension as keyof typeof FORMATS];
	throw new TailtuneError("usage", `--out ${file}: found ${extension || "no extension"}, expected .csv or .jsonl`);
}

/** Formats a line of CSV as RFC 4180 defines it. A missing value is an empty field, a list or an object is JSON. */
export function toCsvLine(values: readonly unknown[]): string {
	return `${values.map(toField).join(",")}\r\n`;
}

/** Formats a JSON object on one line, its fields in the order given. A missing value is null. */
export function toJsonLine(names: readonly string[], values: readonly unknown[]): string {
	return `{${toJsonFields(names, values)}}\n`;
}

/** Formats the fields of a JSON object without its braces. */
export function toJsonFields(names: readonly string[], values: readonly unknown[]): string {
	return names.map((name, index) => `${JSON.stringify(name)}:${toJson(values[index] ?? null)}`).join(",");
}

function toField(value: unknown): string {
	if (value === undefined || value === null) return "";
	const text = typeof value === "object" ? toJson(value) : String(value);
	return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Formats a value as JSON; a bigint, which Parquet files have, with all its digits. */
function toJson(value: unknown): string {
	if (typeof value === "bigint") return String(value);
	return JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? String(inner) : inner));
}
