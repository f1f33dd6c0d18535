import { type ErrorCode, TailtuneError } from "../errors.ts";
import { MOST_JSON_BYTES, readRegularFile } from "./regular-file.ts";

/** Maximum number of levels of lists and objects. Functions that call themselves for each level need a bound. */
const MOST_LEVELS = 128;

/** Reads a JSON file of a model. @throws TailtuneError "not-found" if there is none, or "model" as `parseJsonText` */
export async function readJson(file: string): Promise<unknown> {
	const bytes = await readRegularFile(file, MOST_JSON_BYTES, "model");
	return parseJsonText(bytes.toString("utf8"), file, "model");
}

/**
 * Parses JSON of any origin.
 * @param place of the text, for example the file
 * @throws TailtuneError that names the place if the text isn't JSON, or has too many levels
 */
export function parseJsonText(text: string, place: string, code: ErrorCode): unknown {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (cause) {
		throw new TailtuneError(code, `${place}: not JSON`, { cause });
	}
	refuseLevels(value, place, code);
	return value;
}

/** Refuses a value with more than 128 levels of lists and objects. @throws TailtuneError that names the place */
export function refuseLevels(value: unknown, place: string, code: ErrorCode): void {
	if (!hasAtMost(MOST_LEVELS, value)) throw createLevelsError(place, code);
}

/** Creates the error of a value with more than 128 levels. */
export function createLevelsError(place: string, code: ErrorCode): TailtuneError {
	const found = `found more than ${MOST_LEVELS} levels of lists and objects`;
	return new TailtuneError(code, `${place}: ${found}, expected at most ${MOST_LEVELS}`);
}

function hasAtMost(levels: number, value: unknown): boolean {
	if (typeof value !== "object" || value === null) return true;
	const inside: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
	return levels > 0 && inside.every((own) => hasAtMost(levels - 1, own));
}
