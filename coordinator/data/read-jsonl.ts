import { TailtuneError } from "../../shared/errors.ts";
import { linesOf } from "./line-ends.ts";
import { nameSome } from "./name-some.ts";
import type { Columns, Row } from "./row.ts";

/**
 * Reads lines of JSON objects. A label may be a string, a number or a boolean. Blank lines are skipped.
 * @throws TailtuneError "data" for a line that isn't a JSON object, or a field that is missing or of another type
 */
export function readJsonl(content: string, file: string, { textColumn, labelColumn }: Columns): Row[] {
	return linesOf(content).map(({ text: line, number }) => {
		const source = `${file}:${number}`;
		const object = parseObject(line.trim(), source);
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
		refuseRounded(label, `${source}: ${labelColumn}`);
		return { text, label: String(label), source };
	});
}

/** Refuses numbers that JSON.parse rounds: two different labels could become equal. */
function refuseRounded(label: unknown, place: string): void {
	if (typeof label !== "number" || Math.abs(label) <= Number.MAX_SAFE_INTEGER) return;
	throw new TailtuneError(
		"data",
		`${place}: found a number of more than 15 digits, expected it as a string, in quotes`,
	);
}

function parseObject(line: string, source: string): object {
	let value: unknown;
	try {
		value = JSON.parse(line);
	} catch (cause) {
		throw new TailtuneError("data", `${source}: not JSON, expected one JSON object per line`, { cause });
	}
	if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
	throw new TailtuneError("data", `${source}: found ${kindOf(value)}, expected one JSON object per line`);
}

function readField(object: object, name: string, flag: string, source: string): unknown {
	if (Object.hasOwn(object, name)) return (object as { [name]: unknown })[name];
	const found = nameSome(Object.keys(object)) || "none";
	throw new TailtuneError("data", `${source}: no field ${JSON.stringify(name)} (${flag}); found ${found}`);
}

function kindOf(value: unknown): string {
	if (value === null) return "null";
	return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}
