import { linesOf } from "./line-ends.ts";
import type { Row } from "./row.ts";

/** Reads every line that isn't blank as a text without a label. */
export function readLines(content: string, file: string): Row[] {
	return linesOf(content).map(({ text, number }) => ({ text, label: undefined, source: `${file}:${number}` }));
}
