import { TailtuneError } from "../errors.ts";
import type { Columns, Row } from "./row.ts";
import { splitLines } from "./text-file.ts";

/**
 * Rows of lines that are JSON objects. A label may be a text, a number or a boolean.
 * @throws TailtuneError "data" for a line that is no JSON object, or a field that isn't there or of another type
 */
export function readJsonl(content: string, file: string, { textColumn, labelColumn }: Columns): Row[] {
	return splitLines(content).map((line, index) => {
		const source = `${file}:${index + 1}`;
		if (line.trim() === "") return { text: undefined, label: undefined, source };
		const object = parseObject(line, source);
		const text = readField(object, textColumn, "--text-column", source);
		if (typeof text !== "string") {
			throw new TailtuneError("data", `${source}: ${textColumn}: found ${kindOf(text)}, expected a string`);
		}
		if (labelColumn === undefined) return { text, label: undefined, source };
		const label = readField(object, labelColumn, "--label-column", source);
		if (typeof label !== "string" && typeof label !== "number" && typeof label !== "boolean") {
			throw new TailtuneError(
				"data",
				`${source}: ${labelColumn}: found ${kindOf(label)}, expected a string or a number`,
			);
		}
		return { text, label: String(label), source };
	});
}

function parseObject(line: string, source: string): object {
	let value: unknown;
	try {
		value = JSON.parse(line);
	} catch (cause) {
		throw new TailtuneError("data", `${source}: not JSON, expected one JSON object a line`, { cause });
	}
	if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
	throw new TailtuneError("data", `${source}: found ${kindOf(value)}, expected one JSON object a line`);
}

function readField(object: object, name: string, flag: string, source: string): unknown {
	if (Object.hasOwn(object, name)) return (object as { [name]: unknown })[name];
	const found = Object.keys(object).join(", ") || "none";
	throw new TailtuneError("data", `${source}: no field ${JSON.stringify(name)} (${flag}); found ${found}`);
}

function kindOf(value: unknown): string {
	if (value === null) return "null";
	return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}
