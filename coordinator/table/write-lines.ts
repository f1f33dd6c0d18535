import type { FileHandle } from "node:fs/promises";

/** Lines are collected to pieces of about this many characters, since a write per line would be slow. */
const PIECE_LENGTH = 1 << 18;

/** Writes lines, which include their line ends, to the end of an open file; keeps one piece of them in memory. */
export async function writeLines(file: FileHandle, lines: Iterable<string> | AsyncIterable<string>): Promise<void> {
	let piece: string[] = [];
	let length = 0;
	const flush = async () => {
		await file.appendFile(piece.join(""));
		piece = [];
		length = 0;
	};
	for await (const line of lines) {
		piece.push(line);
		length += line.length;
		if (length >= PIECE_LENGTH) await flush();
	}
	await flush();
}
