import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCodeOf, TailtuneError } from "../errors.ts";

/**
 * Checks that the disk of a file has space for more bytes. A disk that doesn't report its free space is not refused.
 * @param neededBytes bytes that are still to be written
 * @throws TailtuneError "disk" that names the path, the needed and the free space
 */
export async function assertFreeSpace(path: string, neededBytes: number): Promise<void> {
	const free = await readFreeBytes(path);
	if (free !== undefined && neededBytes > free) throw fullDisk(path, neededBytes, free);
}

/** Adds the needed and the free space to the error of a full disk; returns any other error unchanged. */
export async function explainFullDisk(error: unknown, path: string, neededBytes: number): Promise<unknown> {
	const code = systemCodeOf(error instanceof TailtuneError ? error.cause : error);
	if (code !== "ENOSPC" && code !== "EDQUOT") return error;
	return fullDisk(path, neededBytes, (await readFreeBytes(path)) ?? 0, error);
}

async function readFreeBytes(path: string): Promise<number | undefined> {
	try {
		const { bavail, bsize } = await statfs(dirname(path));
		return bavail * bsize;
	} catch {
		return undefined;
	}
}

function fullDisk(path: string, neededBytes: number, freeBytes: number, cause?: unknown): TailtuneError {
	const found = `no space is left on the disk: ${neededBytes} bytes needed, ${freeBytes} free`;
	return new TailtuneError("disk", `${path}: can't be written: ${found}`, { cause });
}
