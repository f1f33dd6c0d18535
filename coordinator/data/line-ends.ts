import { TailtuneError } from "../../shared/errors.ts";
import type { Sample, TextChunks } from "./table.ts";

/** Maximum length of a row, in characters: a longer one is a fault, for example a quote that is never closed. */
export const MOST_ROW_LENGTH = 16 << 20;

const LINE_END = /\r\n|\n|\r/;

/** Replaces unusual line ends in a part of a text that doesn't end between the characters of a line end. */
export type RepairLineEnds = (text: string) => string;

/**
 * Finds out from the start of a text whether it has unusual line ends: CR CR LF (a CRLF file written in text mode on
 * Windows) or CR alone (old Mac programs). The function returned replaces them with LF.
 */
export function lineEndRepair(start: string): RepairLineEnds {
	const lineFeed = start.indexOf("\n");
	if (lineFeed < 0) return (text) => text.replaceAll(/\r\n?/g, "\n");
	const isDoubled = start.indexOf("\r") === lineFeed - 2 && start[lineFeed - 1] === "\r";
	return isDoubled ? (text) => text.replaceAll("\r\r\n", "\n") : (text) => text;
}

/** Repairs unusual line ends of a whole text, as `lineEndRepair`. */
export function repairLineEnds(text: string): string {
	return lineEndRepair(text)(text);
}

/** Applies `repair` to all of a text. CRs at the end of a chunk wait for the next one. */
export async function* readRepaired(chunks: TextChunks, repair: RepairLineEnds): AsyncGenerator<string> {
	let held = "";
	for await (const chunk of chunks) {
		const text = held + chunk;
		let end = text.length;
		while (text[end - 1] === "\r" && end > text.length - 2) end--;
		held = text.slice(end);
		yield repair(text.slice(0, end));
	}
	yield repair(held);
}

/** A line of a text. */
export interface Line {
	readonly text: string;
	/** From 1. */
	readonly number: number;
}

/**
 * Reads the lines of a text, several at once. A line ends in LF, CRLF or CR; the last one may have no line end.
 * @param file for messages
 * @throws TailtuneError "data" for a line of more than MOST_ROW_LENGTH characters
 */
export async function* readLines(chunks: TextChunks, file: string): AsyncGenerator<Line[]> {
	let number = 0;
	let open = "";
	const toLine = (text: string): Line => ({ text, number: ++number });
	for await (const chunk of chunks) {
		const isContinued = !open.endsWith("\r") && !LINE_END.test(chunk);
		open += chunk;
		if (open.length > MOST_ROW_LENGTH && isContinued) {
			const found = `found a line of more than ${MOST_ROW_LENGTH} characters`;
			throw new TailtuneError("data", `${file}:${number + 1}: ${found}, expected shorter rows`);
		}
		if (isContinued) continue;
		// A CR at the end could be the first half of a CRLF.
		const end = open.endsWith("\r") ? open.length - 1 : open.length;
		const lines = open.slice(0, end).split(LINE_END);
		open = (lines.pop() ?? "") + open.slice(end);
		yield lines.map(toLine);
	}
	const last = open.replace(/\r$/, "");
	if (open !== "") yield [toLine(last)];
}

/** Returns the complete lines of the start of a text. */
export function sampleLines({ text, isWhole }: Sample): string[] {
	const lines = text.split(LINE_END);
	if (!isWhole) lines.pop();
	return lines;
}
