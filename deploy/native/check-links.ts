import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { runProgram } from "../../shared/wheels/run-program.ts";

/** Libraries of NVIDIA's driver, which only a GPU host has. */
const OF_THE_DRIVER = /^(?:libcuda|libnvidia-ml)\.so/;

/** Returns the libraries that `ldd` reports as missing, without those of the driver. */
export function missingIn(report: string): string[] {
	const missing = [...report.matchAll(/^\s*(\S+) => not found$/gm)].map(([, library = ""]) => library);
	return missing.filter((library) => !OF_THE_DRIVER.test(library));
}

/**
 * Checks that the dynamic linker finds all dependencies of every library in a folder, except the GPU driver's.
 * @throws TailtuneError "engine" that names the library and the missing dependency
 */
export async function checkLinks(folder: string): Promise<void> {
	const entries = await readdir(folder, { recursive: true, withFileTypes: true });
	for (const entry of entries) {
		if (!entry.isFile() || !/\.(?:so(?:\.\d+)*|node)$/.test(entry.name)) continue;
		const path = join(entry.parentPath, entry.name);
		const [missing] = missingIn(await runProgram("ldd", [path]));
		if (missing !== undefined) throw new TailtuneError("engine", `${path}: dependency ${missing} not found`);
	}
}
