import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCodeOf, TailtuneError } from "../errors.ts";
import { asDiskError, temporaryPath } from "../files/write-atomic.ts";

/**
 * Fills a folder under another name and renames it; a folder that was there before is replaced as a whole.
 * @param fill gets the folder to write to; where it fails, nothing is left behind and an older folder stays
 * @throws TailtuneError "disk" where the folder can't be written
 */
export async function writeFolderAtomic(folder: string, fill: (aside: string) => Promise<void>): Promise<void> {
	const [aside, older] = [temporaryPath(folder), temporaryPath(folder)];
	try {
		await mkdir(dirname(folder), { recursive: true });
		await mkdir(aside);
		await fill(aside);
		await rename(folder, older).catch(ignoreMissing);
		await rename(aside, folder);
		await rm(older, { recursive: true, force: true });
	} catch (error) {
		await rm(aside, { recursive: true, force: true });
		throw error instanceof TailtuneError ? withoutAside(error, aside, folder) : asDiskError(folder, error);
	}
}

// The name aside means nothing to people: it was gone before they could read it.
function withoutAside(error: TailtuneError, aside: string, folder: string): TailtuneError {
	return new TailtuneError(error.code, error.message.replaceAll(aside, folder), { cause: error });
}

function ignoreMissing(error: unknown): void {
	if (systemCodeOf(error) !== "ENOENT") throw error;
}
