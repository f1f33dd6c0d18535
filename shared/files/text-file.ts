import { isUtf8 } from "node:buffer";
import { TailtuneError } from "../errors.ts";
import { MOST_TEXT_BYTES, readRegularFile, toReadError } from "./regular-file.ts";

const NEWLINE = 0x0a;
const UTF16_MARKS = [Buffer.of(0xff, 0xfe), Buffer.of(0xfe, 0xff)];

/**
 * Reads a text file in UTF-8, without a byte order mark.
 * @param atMost maximum number of bytes
 * @throws TailtuneError "not-found", or "data" if it can't be read, is too long or isn't UTF-8 (with the line)
 */
export async function readTextFile(file: string, atMost = MOST_TEXT_BYTES): Promise<string> {
	return decodeUtf8(await readRegularFile(file, atMost, "data"), file);
}

/**
 * Decodes UTF-8, without a byte order mark.
 * @param file source of the bytes, for messages
 * @throws TailtuneError "data" that names the first line with bytes that aren't UTF-8 or a NUL byte, or if there are
 *   too many bytes for a string
 */
export function decodeUtf8(bytes: Buffer, file: string): string {
	if (UTF16_MARKS.some((mark) => bytes.subarray(0, mark.length).equals(mark)))
		throw new TailtuneError("data", `${file}: found UTF-16, expected UTF-8`);
	if (!isUtf8(bytes)) {
		throw new TailtuneError("data", `${file}:${firstBadLine(bytes)}: found bytes that aren't UTF-8, expected UTF-8`);
	}
	// A NUL byte means UTF-16 without a byte order mark, or binary data.
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

/** Finds the first line that isn't UTF-8. Lines can be checked alone: no longer character contains a newline byte. */
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

function lineAt(bytes: Buffer, position: number): number {
	let line = 1;
	for (let at = bytes.indexOf(NEWLINE); at >= 0 && at < position; at = bytes.indexOf(NEWLINE, at + 1)) line++;
	return line;
}
