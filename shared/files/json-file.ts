import { TailtuneError } from "../errors.ts";
import { MOST_JSON_BYTES, readRegularFile } from "./regular-file.ts";

/** Maximum number of levels of lists and objects. Functions that call themselves for each level need a bound. */
const MOST_LEVELS = 128;

/** Reads a JSON file of a model. @throws TailtuneError "not-found" if there is no such file, or as `parseModelJson` */
export async function readJson(file: string): Promise<unknown> {
	const bytes = await readRegularFile(file, MOST_JSON_BYTES, "model");
	return parseModelJson(bytes.toString("utf8"), file);
}

/**
 * Parses the content of a JSON file of a model.
 * @throws TailtuneError "model" that names the file if the content isn't JSON, or has too many levels
 */
export function parseModelJson(text: string, file: string): unknown {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (cause) {
		throw new TailtuneError("model", `${file}: expected JSON`, { cause });
	}
	if (hasAtMost(MOST_LEVELS, value)) return value;
	const found = `found more than ${MOST_LEVELS} levels of lists and objects`;
	throw new TailtuneError("model", `${file}: ${found}, expected at most ${MOST_LEVELS}`);
}

function hasAtMost(levels: number, value: unknown): boolean {
	if (typeof value !== "object" || value === null) return true;
	const inside: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
	return levels > 0 && inside.every((own) => hasAtMost(levels - 1, own));
}
