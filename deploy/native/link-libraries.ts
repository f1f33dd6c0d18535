import { existsSync } from "node:fs";
import { readdir, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { runProgram } from "../../shared/wheels/run-program.ts";

/** The library that opens CUDA's libraries by name; relative to the package's deps/. */
const OPENER = "lib/libtensorflow_framework.so.2";

/**
 * Finds the folders in which TensorFlow searches for libraries opened by name.
 * @param deps folder with lib/ and nvidia/
 */
export async function findSearchedFolders(deps: string): Promise<string[]> {
	const opener = join(deps, OPENER);
	return runPathOf(await runProgram("readelf", ["--dynamic", "--wide", opener]), dirname(opener));
}

/**
 * Returns the folders in a library's run path, in order, without duplicates.
 * @param report the output of `readelf --dynamic` for the library
 * @param origin the library's folder, for `$ORIGIN`
 */
export function runPathOf(report: string, origin: string): string[] {
	const [, path = ""] = /\((?:RUNPATH|RPATH)\).*\[(.*)\]/.exec(report) ?? [];
	const folders = path.split(":").filter((folder) => folder !== "");
	return [...new Set(folders.map((folder) => join(folder.replace("$ORIGIN", origin))))];
}

/**
 * Links every library below deps/nvidia into one of the searched folders, unless it is in one already. TensorFlow opens
 * CUDA's libraries by name, and uses no GPU if one is missing; `ldd` doesn't list such libraries. The links are in
 * another library's `nvidia/NAME/lib`, because the libraries' run paths are relative to a folder at that depth.
 * @param deps folder with lib/ and nvidia/
 * @throws TailtuneError "engine" if none of the searched folders is below deps/nvidia
 */
export async function linkLibraries(deps: string, searched: readonly string[]): Promise<void> {
	const nvidia = join(deps, "nvidia");
	const into = searched.find((folder) => folder.startsWith(`${nvidia}/`) && existsSync(folder));
	if (into === undefined)
		throw new TailtuneError("engine", `${join(deps, OPENER)}: its run path names no folder of ${nvidia}`);
	for (const name of await readdir(nvidia)) {
		const folder = join(nvidia, name, "lib");
		if (!existsSync(folder) || searched.includes(folder)) continue;
		for (const library of await readdir(folder)) {
			if (/\.so(\.|$)/.test(library)) await symlink(join(relative(into, folder), library), join(into, library));
		}
	}
}
