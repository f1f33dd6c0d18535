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
function decodeUtf8(bytes: Buffer, file: string): string {
	checkUtf8(bytes, file);
	try {
		return bytes.toString("utf8").replace(/^\ufeff+/, "");
	} catch (error) {
		throw toReadError(file, error);
	}
}

/**
 * Checks that bytes are text in UTF-8.
 * @param firstLine number of the line with which the bytes begin
 * @param expected end of the message about bytes that aren't UTF-8
 * @throws TailtuneError "data" that names the first line with bytes that aren't UTF-8 or a NUL byte
 */
export function checkUtf8(bytes: Buffer, file: string, firstLine = 1, expected = "expected UTF-8"): void {
	if (firstLine === 1 && UTF16_MARKS.some((mark) => bytes.subarray(0, mark.length).equals(mark)))
		throw new TailtuneError("data", `${file}: found UTF-16, expected UTF-8`);
	const place = (line: number) => `${file}:${firstLine - 1 + line}`;
	if (!isUtf8(bytes)) {
		throw new TailtuneError("data", `${place(firstBadLine(bytes))}: found bytes that aren't UTF-8, ${expected}`);
	}
	// A NUL byte means UTF-16 without a byte order mark, or binary data.
	const nul = bytes.indexOf(0);
	if (nul < 0) return;
	const line = 1 + countLineFeeds(bytes.subarray(0, nul));
	throw new TailtuneError("data", `${place(line)}: found a NUL byte, expected text in UTF-8`);
}

/** Returns the number of LF bytes. */
export function countLineFeeds(bytes: Buffer): number {
	let count = 0;
	for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
	return count;
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
