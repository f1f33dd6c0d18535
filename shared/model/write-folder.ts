import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCodeOf, TailtuneError } from "../errors.ts";
import { makeFolders } from "../files/make-folders.ts";
import { asDiskError, temporaryPath } from "../files/write-atomic.ts";

/**
 * Writes a folder under a temporary name and renames it; an existing folder is replaced as a whole.
 * @param fill writes into the given folder; if it fails, nothing is left behind and an existing folder stays
 * @throws TailtuneError "disk" if the folder can't be written
 */
export async function writeFolderAtomic(folder: string, fill: (temporary: string) => Promise<void>): Promise<void> {
	const [temporary, older] = [temporaryPath(folder), temporaryPath(folder)];
	try {
		await makeFolders(dirname(folder));
		await mkdir(temporary);
		await fill(temporary);
		await rename(folder, older).catch(ignoreMissing);
		await rename(temporary, folder);
		await rm(older, { recursive: true, force: true });
	} catch (error) {
		await rm(temporary, { recursive: true, force: true });
		throw error instanceof TailtuneError ? withFinalName(error, temporary, folder) : asDiskError(folder, error);
	}
}

// The temporary folder is already removed when a user reads the message, so its name wouldn't help.
function withFinalName(error: TailtuneError, temporary: string, folder: string): TailtuneError {
	return new TailtuneError(error.code, error.message.replaceAll(temporary, folder), { cause: error });
}

function ignoreMissing(error: unknown): void {
	if (systemCodeOf(error) !== "ENOENT") throw error;
}
