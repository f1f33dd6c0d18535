import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";
import { systemCodeOf, TailtuneError } from "../errors.ts";

const NEWLINE = 0x0a;
const UTF16_MARKS = [Buffer.of(0xff, 0xfe), Buffer.of(0xfe, 0xff)];

/**
 * A file's text, without a byte order mark.
 * @throws TailtuneError "not-found", or "data" where it can't be read or isn't UTF-8 (naming the line)
 */
export async function readTextFile(file: string): Promise<string> {
	return decodeUtf8(await readFile(file).catch((error) => Promise.reject(toReadError(file, error))), file);
}

/** A system error met while reading, as a TailtuneError "not-found" or "data" that names the path. */
export function toReadError(path: string, error: unknown): TailtuneError {
	if (systemCodeOf(error) === "ENOENT") {
		return new TailtuneError("not-found", `${path}: no such file or folder`, { cause: error });
	}
	if (systemCodeOf(error) === "ENOTDIR") {
		const found = "a part of this path is a file, not a folder";
		return new TailtuneError("not-found", `${path}: no such file or folder: ${found}`, { cause: error });
	}
	const reason = error instanceof Error ? error.message.replaceAll("\n", " ") : String(error);
	return new TailtuneError("data", `${path}: can't be read: ${reason}`, { cause: error });
}

/**
 * Bytes as text, without a byte order mark.
 * @param file where they come from, for messages
 * @throws TailtuneError "data" if they aren't UTF-8 or hold a NUL byte, naming the first such line, or too many for a string
 */
export function decodeUtf8(bytes: Buffer, file: string): string {
	if (UTF16_MARKS.some((mark) => bytes.subarray(0, mark.length).equals(mark)))
		throw new TailtuneError("data", `${file}: found UTF-16, expected UTF-8`);
	if (!isUtf8(bytes)) {
		throw new TailtuneError("data", `${file}:${firstBadLine(bytes)}: found bytes that aren't UTF-8, expected UTF-8`);
	}
	// UTF-16 without a mark, or no text at all.
	const nul = bytes.indexOf(0);
	if (nul >= 0)
		throw new TailtuneError("data", `${file}:${lineAt(bytes, nul)}: found a NUL byte, expected text in UTF-8`);
	try {
		const text = bytes.toString("utf8");
		return text.replace(/^\ufeff+/, "");
	} catch (error) {
		throw toReadError(file, error);
	}
}

/** A newline byte is never part of a longer character, so lines can be looked at one by one. */
function firstBadLine(bytes: Buffer): number {
	let line = 1;
	for (let start = 0; start < bytes.length; line++) {
		const newline = bytes.indexOf(NEWLINE, start);
		const end = newline < 0 ? bytes.length : newline;
		if (!isUtf8(bytes.subarray(start, end))) break;
		start = end + 1;
	}
	return line;
}

function lineAt(bytes: Buffer, place: number): number {
	let line = 1;
	for (let at = bytes.indexOf(NEWLINE); at >= 0 && at < place; at = bytes.indexOf(NEWLINE, at + 1)) line++;
	return line;
}
