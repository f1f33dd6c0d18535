import type { Row } from "./row.ts";
import { splitLines } from "./text-file.ts";

/**
 * Rows of `label<TAB>text` lines, without header or quoting, as in the SMS Spam Collection. Further tabs belong to the
 * text; a line without a tab is a text without a label.
 */
export function readTsv(content: string, file: string): Row[] {
	return splitLines(content).map((line, index) => {
		const tab = line.indexOf("\t");
		return {
			label: tab < 0 ? undefined : line.slice(0, tab),
			text: line.slice(tab + 1),
			source: `${file}:${index + 1}`,
		};
	});
}
