import type { Row } from "./row.ts";
import { splitLines } from "./text-file.ts";

/** Each line is a text without a label. */
export function readLines(content: string, file: string): Row[] {
	return splitLines(content).map((text, index) => ({ text, label: undefined, source: `${file}:${index + 1}` }));
}
