import { TailtuneError } from "../../shared/errors.ts";
import { refuseLevels } from "../../shared/files/json-file.ts";
import type { TableRow } from "./table.ts";

/**
 * Parses the JSON of a row. A row that isn't an object has a fault.
 * @param source for messages, for example "file:line"
 * @param expected end of the message, for example "one JSON object per line"
 */
export function parseObject(json: string, source: string, expected: string): TableRow {
	const none = { source, names: [], values: [], isBlank: false };
	const fault = (found: string, cause?: unknown) => ({
		...none,
		fault: new TailtuneError("data", `${source}: ${found}, expected ${expected}`, { cause }),
	});
	let value: unknown;
	try {
		value = JSON.parse(json);
	} catch (cause) {
		return fault("not JSON", cause);
	}
	if (typeof value !== "object" || value === null || Array.isArray(value)) return fault(`found ${kindOf(value)}`);
	try {
		refuseLevels(value, source, "data");
	} catch (error) {
		return { ...none, fault: error as TailtuneError };
	}
	return { ...none, names: Object.keys(value), values: Object.values(value) };
}

/** Names the type of a JSON value, for messages. */
export function kindOf(value: unknown): string {
	if (value === null) return "null";
	if (Array.isArray(value)) return "a list";
	return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/**
 * Refuses a number that JSON.parse rounds: two different ones could become equal.
 * @param place of the value, for messages
 * @param wayOut end of the message
 */
export function refuseRounded(value: unknown, place: string, wayOut = ""): void {
	if (typeof value === "object" && value !== null) {
		for (const inner of Object.values(value)) refuseRounded(inner, place, wayOut);
	}
	if (!Number.isInteger(value) || Number.isSafeInteger(value)) return;
	const expected = "expected it as a string, in quotes";
	throw new TailtuneError("data", `${place}: found a number of more than 15 digits, ${expected}${wayOut}`);
}
