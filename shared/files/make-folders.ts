import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCodeOf } from "../errors.ts";

/**
 * Makes a folder and those that it is in, unless they exist. Node's own `recursive` never ends if a folder exists but
 * can't have new ones, as /proc.
 * @param mode of the new folders; default: that of the process
 * @returns the outermost folder that was made; undefined if all existed
 * @throws Error of the system
 */
export async function makeFolders(path: string, mode = 0o777): Promise<string | undefined> {
	const parent = dirname(path);
	const outer = (await stat(parent).catch(() => undefined)) ? undefined : await makeFolders(parent, mode);
	try {
		await mkdir(path, { mode });
		return outer ?? path;
	} catch (error) {
		if (systemCodeOf(error) === "EEXIST" && (await stat(path)).isDirectory()) return outer;
		throw error;
	}
}
