import { TailtuneError } from "../../shared/errors.ts";
import { STANDARD_INPUT } from "../data/open-bytes.ts";
import { openInputTable, openTable } from "../data/open-table.ts";
import type { Table, TableOptions } from "../data/table.ts";

/** A table to classify. */
export interface TableSource {
	/** For messages: the file, or for example "standard input". */
	readonly name: string;
	/** Opens the table at its first row. */
	readonly open: () => Promise<Table>;
	/** Whether it can be opened again: standard input can't. */
	readonly canReopen: boolean;
}

/** Column of the texts, if the input has no names of columns. */
const NAMES = ["text"];

/**
 * Returns the table with the texts of `tailtune classify`: its arguments, the lines of standard input, or a file.
 * @param words the arguments; "-" stands for standard input
 * @throws TailtuneError "usage" if there is no input, or more than one
 */
export function chooseSource(
	words: readonly string[],
	file: string | undefined,
	{ textColumn, encoding, delimiter }: Omit<TableOptions, "labelColumn">,
): TableSource {
	const options = { textColumn, labelColumn: undefined, encoding };
	const texts = words.filter((word) => word !== "-");
	const given = [
		...(texts.length > 0 ? [{ name: "texts", canReopen: true, open: async () => toTable(texts) }] : []),
		...(texts.length < words.length
			? [{ name: STANDARD_INPUT, canReopen: false, open: () => openInputTable(".txt", options) }]
			: []),
		...(file === undefined
			? []
			: [{ name: file, canReopen: true, open: () => openTable(file, { ...options, delimiter }) }]),
	];
	const [source] = given;
	if (source && given.length === 1) return source;
	const found = given.length === 0 ? "none" : given.map(({ name }) => name).join(" and ");
	throw new TailtuneError("usage", `texts: found ${found}, expected texts, - or --file FILE`);
}

function toTable(texts: readonly string[]): Table {
	return { format: { name: "lines" }, header: { names: NAMES }, rows: listTexts(), close: () => {} };

	async function* listTexts() {
		for (const [index, text] of texts.entries())
			yield { source: `text ${index + 1}`, names: NAMES, values: [text], isBlank: text.trim() === "" };
	}
}
