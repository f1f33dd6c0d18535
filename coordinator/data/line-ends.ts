/**
 * A text whose lines end in LF or CRLF. Two kinds of file are repaired: line ends of CR CR LF (a CRLF file that a program
 * wrote in text mode on Windows) and of CR alone (old Mac programs); both become LF.
 */
export function repairLineEnds(text: string): string {
	const lineFeed = text.indexOf("\n");
	if (lineFeed < 0) return text.replaceAll("\r", "\n");
	const isDoubled = text.indexOf("\r") === lineFeed - 2 && text[lineFeed - 1] === "\r";
	return isDoubled ? text.replaceAll("\r\r\n", "\n") : text;
}

/** A line of a text, and its number from 1. */
export interface Line {
	readonly text: string;
	readonly number: number;
}

/** The lines of a text that are not blank. A line ends in LF, CRLF or CR; the last one may end with the text. */
export function linesOf(text: string): Line[] {
	return text
		.split(/\r\n|\n|\r/)
		.map((line, index) => ({ text: line, number: index + 1 }))
		.filter((line) => line.text.trim() !== "");
}
