import { TailtuneError } from "../../shared/errors.ts";
import { parseObject } from "./json-row.ts";
import { parseJsonl } from "./jsonl-table.ts";
import { MOST_ROW_LENGTH } from "./line-ends.ts";
import { shortName } from "./name-some.ts";
import type { ParsedTable, RowBatches, TableText, TextChunks } from "./table.ts";

/** Reads one JSON list of objects, or one JSON object per line. An element that is no object has a fault. */
export async function parseJson(text: TableText): Promise<ParsedTable> {
	if (!text.sample.text.trimStart().startsWith("[")) return parseJsonl(text);
	return { format: { name: "JSON list" }, header: undefined, batches: toRows(text.chunks, text.file) };
}

async function* toRows(chunks: TextChunks, file: string): RowBatches {
	for await (const elements of splitList(chunks, file))
		yield elements.map(({ text, line }) => parseObject(text, `${file}:${line}`, "a list of JSON objects"));
}

interface Element {
	readonly text: string;
	/** Number of its first line, from 1. */
	readonly line: number;
}

/**
 * Splits a JSON list at the commas between its elements, several at once, so that the list needn't be in memory. The
 * elements themselves are not checked.
 * @throws TailtuneError "data" if the list isn't closed, or something follows it
 */
async function* splitList(chunks: TextChunks, file: string): AsyncGenerator<Element[]> {
	const splitter = new ListSplitter();
	const refuse = (found: string) => {
		throw new TailtuneError("data", `${file}:${splitter.line}: ${found}, expected one JSON list of objects`);
	};
	for await (const chunk of chunks) {
		yield splitter.add(chunk);
		if (splitter.open.length > MOST_ROW_LENGTH) refuse(`found an element of more than ${MOST_ROW_LENGTH} characters`);
	}
	if (!splitter.isClosed) refuse("found the end of the file inside the list");
	if (splitter.open.trim() !== "") refuse(`found ${JSON.stringify(shortName(splitter.open.trim()))} after the list`);
}

class ListSplitter {
	/** Number of the current line, from 1. */
	line = 1;
	/** The beginning of an element, or the text after the list. */
	open = "";
	isClosed = false;
	#firstLine = 1;
	/** Number of open brackets: 1 between the elements of the list. */
	#depth = 0;
	#isInString = false;
	/** Place in the chunk of a character after a backslash. */
	#escaped = -1;

	/** Returns the elements that end in this part of the text. */
	add(chunk: string): Element[] {
		const elements: Element[] = [];
		let start = 0;
		for (const { 0: char, index } of chunk.matchAll(/["\\{}[\],\n]/g)) {
			if (char === "\n") this.line++;
			const isDivider = this.#divides(char, index);
			if (!isDivider || this.isClosed) continue;
			const text = this.open + chunk.slice(start, index);
			const blankLines = (/^\s*/.exec(text)?.[0] ?? "").split("\n").length - 1;
			if (char === "," || (char === "]" && text.trim() !== ""))
				elements.push({ text, line: this.#firstLine + blankLines });
			this.isClosed = this.#depth === 0;
			this.open = "";
			this.#firstLine = this.line;
			start = index + 1;
		}
		this.open += chunk.slice(start);
		this.#escaped -= chunk.length;
		return elements;
	}

	/** Follows the structure. Returns whether the character is the list's bracket or a comma between its elements. */
	#divides(char: string, index: number): boolean {
		if (index === this.#escaped) return false;
		if (this.#isInString && char === "\\") this.#escaped = index + 1;
		if (char === '"') this.#isInString = !this.#isInString;
		if (this.#isInString) return false;
		if (char === "{" || char === "[") return ++this.#depth === 1;
		if (char === "}" || char === "]") return --this.#depth === 0;
		return char === "," && this.#depth === 1;
	}
}
