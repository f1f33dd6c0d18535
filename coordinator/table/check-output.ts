import { access, constants, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { asDiskError } from "../../shared/files/write-atomic.ts";
import { outputFormatOf } from "./output-format.ts";

/**
 * Checks that a table can be written to a file, before work whose result would be lost otherwise.
 * @param input file that is read meanwhile, which must be another one
 * @throws TailtuneError "disk" if the folder doesn't exist or can't be written, "usage" if the file is a folder or the
 *   input, or its extension isn't that of a table
 */
export async function checkOutput(file: string, input?: string): Promise<void> {
	outputFormatOf(file);
	const folder = await realpath(dirname(file)).catch((error) => Promise.reject(asDiskError(file, error)));
	await access(folder, constants.W_OK).catch((error) => Promise.reject(asDiskError(file, error)));
	const found = await stat(file).catch(() => undefined);
	if (found?.isDirectory()) throw new TailtuneError("usage", `--out ${file}: found a folder, expected a file`);
	const source = input === undefined ? undefined : await realpath(input).catch(() => undefined);
	if (source !== join(folder, basename(file))) return;
	throw new TailtuneError("usage", `--out ${file}: found the file that is read, expected another one`);
}
