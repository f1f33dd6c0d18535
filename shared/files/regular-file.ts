import { constants as buffers } from "node:buffer";
import type { Stats } from "node:fs";
import { constants, type FileHandle, open, stat } from "node:fs/promises";
import { type ErrorCode, systemCodeOf, TailtuneError } from "../errors.ts";

/** Maximum size of a text: that of a string, about 512 MiB. */
export const MOST_TEXT_BYTES = buffers.MAX_STRING_LENGTH;
/** Maximum size of a JSON file. */
export const MOST_JSON_BYTES = 64 << 20;
/** Maximum size of a token, a key or a certificate. */
export const MOST_SECRET_BYTES = 1 << 20;

/**
 * Opens a regular file for reading. Anything else is refused: a pipe or a device could block its reader forever, or
 * have no end.
 * @param code code of the error if the file exists but can't be read
 * @throws TailtuneError "not-found" if there is none
 */
export async function openRegularFile(path: string, code: ErrorCode): Promise<FileHandle> {
	try {
		const kind = kindOf(await stat(path));
		if (kind !== undefined) throw new TailtuneError(code, `${path}: found ${kind}, expected a file`);
		// O_NONBLOCK: doesn't wait for a writer if the file was replaced by a pipe meanwhile.
		return await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
	} catch (error) {
		throw error instanceof TailtuneError ? error : toReadError(path, error, code);
	}
}

/**
 * Reads the bytes of a file.
 * @param atMost maximum number of bytes; a longer file is refused before it is read
 * @param code code of the error if the file can't be used
 * @throws TailtuneError as `openRegularFile`, or if the file is too long
 */
export async function readRegularFile(path: string, atMost: number, code: ErrorCode): Promise<Buffer> {
	const file = await openRegularFile(path, code);
	try {
		const { size } = await file.stat();
		let bytes = Buffer.allocUnsafe(Math.min(size, atMost) + 1);
		for (let length = 0; ; ) {
			const { bytesRead } = size > atMost ? { bytesRead: size } : await file.read(bytes, length);
			length += bytesRead;
			if (length > atMost) {
				throw new TailtuneError(code, `${path}: found at least ${length} bytes, expected at most ${atMost}`);
			}
			if (bytesRead === 0) return bytes.subarray(0, length);
			// Files under /proc have size 0, and other files may grow.
			if (length === bytes.length) bytes = Buffer.concat([bytes], Math.min(2 * length, atMost) + 1);
		}
	} catch (error) {
		throw error instanceof TailtuneError ? error : toReadError(path, error, code);
	} finally {
		await file.close();
	}
}

/** Converts a system error of reading to a TailtuneError "not-found", or of the given code, that names the path. */
export function toReadError(path: string, error: unknown, code: ErrorCode = "data"): TailtuneError {
	if (systemCodeOf(error) === "ENOENT") {
		return new TailtuneError("not-found", `${path}: no such file or folder`, { cause: error });
	}
	if (systemCodeOf(error) === "ENOTDIR") {
		const found = "a part of this path is a file, not a folder";
		return new TailtuneError("not-found", `${path}: no such file or folder: ${found}`, { cause: error });
	}
	const reason = error instanceof Error ? error.message.replaceAll("\n", " ") : String(error);
	return new TailtuneError(code, `${path}: can't be read: ${reason}`, { cause: error });
}

/** Names the kind of anything but a regular file; undefined for a regular file. */
function kindOf(stats: Stats): string | undefined {
	if (stats.isFile()) return undefined;
	if (stats.isDirectory()) return "a folder";
	if (stats.isFIFO()) return "a pipe";
	return stats.isSocket() ? "a socket" : "a device";
}

/**
 * Whether a file or folder exists.
 * @param code of the error if the system doesn't say
 * @throws TailtuneError of that code
 */
export async function pathExists(path: string, code: ErrorCode): Promise<boolean> {
	try {
		await stat(path);
		return true;
	} catch (error) {
		if (["ENOENT", "ENOTDIR"].includes(systemCodeOf(error) ?? "")) return false;
		throw toReadError(path, error, code);
	}
}
