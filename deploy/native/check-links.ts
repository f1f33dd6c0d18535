import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { runProgram } from "../../shared/wheels/run-program.ts";

/** Comes with the driver of a GPU host, and only with that. */
const OF_THE_DRIVER = /^(?:libcuda|libnvidia-ml)\.so/;

/** Libraries that `ldd` reports missing, but for those of the driver. */
export function missingIn(report: string): string[] {
	const missing = [...report.matchAll(/^\s*(\S+) => not found$/gm)].map(([, library = ""]) => library);
	return missing.filter((library) => !OF_THE_DRIVER.test(library));
}

/**
 * Checks that every library below a folder finds all that it is linked with, as far as that can be told without a GPU.
 * @throws TailtuneError "engine" that names the library and what it misses
 */
export async function checkLinks(folder: string): Promise<void> {
	const entries = await readdir(folder, { recursive: true, withFileTypes: true });
	for (const entry of entries) {
		if (!entry.isFile() || !/\.(?:so(?:\.\d+)*|node)$/.test(entry.name)) continue;
		const path = join(entry.parentPath, entry.name);
		const [missing] = missingIn(await runProgram("ldd", [path]));
		if (missing !== undefined) throw new TailtuneError("engine", `${path}: needs ${missing}, which isn't there`);
	}
}
