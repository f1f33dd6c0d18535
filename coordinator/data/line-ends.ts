/**
 * Repairs unusual line ends, so that lines end in LF or CRLF. CR CR LF (a CRLF file written in text mode on Windows)
 * and CR alone (old Mac programs) become LF.
 */
export function repairLineEnds(text: string): string {
	const lineFeed = text.indexOf("\n");
	if (lineFeed < 0) return text.replaceAll("\r", "\n");
	const isDoubled = text.indexOf("\r") === lineFeed - 2 && text[lineFeed - 1] === "\r";
	return isDoubled ? text.replaceAll("\r\r\n", "\n") : text;
}

/** A line of a text. */
export interface Line {
	readonly text: string;
	/** From 1. */
	readonly number: number;
}

/** Returns the lines of a text that aren't blank. A line ends in LF, CRLF or CR; the last one may have no line end. */
export function linesOf(text: string): Line[] {
	return text
		.split(/\r\n|\n|\r/)
		.map((line, index) => ({ text: line, number: index + 1 }))
		.filter((line) => line.text.trim() !== "");
}
