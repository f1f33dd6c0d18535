import { isUtf8 } from "node:buffer";
import { TailtuneError } from "../errors.ts";
import { MOST_TEXT_BYTES, readRegularFile, toReadError } from "./regular-file.ts";

const NEWLINE = 0x0a;
const UTF16_MARKS = [Buffer.of(0xff, 0xfe), Buffer.of(0xfe, 0xff)];

/**
 * A file's text, without a byte order mark.
 * @param atMost bytes
 * @throws TailtuneError "not-found", or "data" if it can't be read, is too long or isn't UTF-8 (naming the line)
 */
export async function readTextFile(file: string, atMost = MOST_TEXT_BYTES): Promise<string> {
	return decodeUtf8(await readRegularFile(file, atMost, "data"), file);
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
