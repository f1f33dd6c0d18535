import { parse } from "yaml";
import { TailtuneError } from "../errors.ts";
import { createLevelsError, refuseLevels } from "../files/json-file.ts";
import { readTextFile } from "../files/text-file.ts";

const MOST_CONFIG_BYTES = 1 << 20;

/**
 * Reads the settings in a YAML (or JSON) file.
 * @throws TailtuneError "usage" if it holds something else, or as `readTextFile`
 */
export async function readConfigFile(file: string): Promise<Record<string, unknown>> {
	const text = await readTextFile(file, MOST_CONFIG_BYTES);
	let settings: unknown;
	try {
		settings = parse(text);
	} catch (cause) {
		// The parser calls itself for each level.
		if (String(cause).includes("call stack")) throw createLevelsError(`--config ${file}`, "usage");
		const reason = cause instanceof Error ? cause.message.split("\n")[0]?.replace(/:$/, "") : String(cause);
		throw new TailtuneError("usage", `--config ${file}: ${reason}`, { cause });
	}
	if (typeof settings !== "object" || settings === null || Array.isArray(settings)) {
		throw new TailtuneError("usage", `--config ${file}: expected settings as "key: value" lines`);
	}
	// A list may contain itself.
	refuseLevels(settings, `--config ${file}`, "usage");
	return settings as Record<string, unknown>;
}
