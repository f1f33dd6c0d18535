import { pMapIterable } from "p-map";
import { TailtuneError } from "../../shared/errors.ts";
import type { Table } from "../data/table.ts";
import type { Classifier, TextAnswer } from "./classifier.ts";
import { collectBatches, listRows, type RowToClassify } from "./rows-to-classify.ts";

/** A row and its answer, or the reason why it has none. */
export interface ClassifiedRow extends Pick<RowToClassify, "row"> {
	/** Empty if the row has no usable text. */
	readonly text: string;
	readonly answer: TextAnswer | TailtuneError;
}

/** How rows are classified. */
export interface RowsOptions {
	/** Name of the column with the text. */
	readonly textColumn: string;
	/** Whether rows that can't be classified get their error as the answer; otherwise it is thrown. */
	readonly skipBad: boolean;
	/** Called with the number of new rows. */
	readonly onRows?: (count: number) => void;
	/** Aborts when the user stops the command. */
	readonly interrupt?: AbortSignal;
}

/** How many rows were classified, and which were not. */
export interface RowsSummary {
	rows: number;
	cut: number;
	/** Rows that were classified and got no label. */
	unlabelled: number;
	bad: number;
	/** The first errors of rows that could not be classified. */
	readonly errors: string[];
}

const MOST_ERRORS = 20;

/** Creates a summary of no rows. */
export function emptySummary(): RowsSummary {
	return { rows: 0, cut: 0, unlabelled: 0, bad: 0, errors: [] };
}

/**
 * Classifies the rows of a table in batches, in order. While a batch is computed, the next one is read; no more rows
 * are kept.
 * @param summary counts the rows
 * @throws TailtuneError "data" for the first row that can't be classified, unless such rows are skipped, or if there
 *   are no rows; "interrupted"
 */
export async function* classifyRows(
	classifier: Pick<Classifier, "classifyEach">,
	{ table, name }: { readonly table: Table; readonly name: string },
	options: RowsOptions,
	summary: RowsSummary,
): AsyncGenerator<ClassifiedRow[]> {
	const batches = collectBatches(listRows(table, options.textColumn));
	const classify = async (batch: RowToClassify[]) => {
		if (options.interrupt?.aborted) throw new TailtuneError("interrupted", "stopped; nothing was written");
		const rows = await classifyBatch(classifier, batch, options.onRows);
		for (const row of rows) count(row, options.skipBad, summary);
		return rows;
	};
	try {
		yield* pMapIterable(batches, classify, { concurrency: 1, backpressure: 2 });
		if (summary.rows === 0) throw new TailtuneError("data", `${name}: contains no texts, expected at least one`);
	} finally {
		table.close();
	}
}

async function classifyBatch(
	classifier: Pick<Classifier, "classifyEach">,
	batch: readonly RowToClassify[],
	onRows: (count: number) => void = () => {},
): Promise<ClassifiedRow[]> {
	const texts = batch.flatMap(({ row, text }) => (typeof text === "string" ? { text, source: row.source } : []));
	onRows(batch.length - texts.length);
	const answers = (await classifier.classifyEach(texts, onRows)).values();
	return batch.map(({ row, text }) => {
		if (typeof text !== "string") return { row, text: "", answer: text };
		return { row, text, answer: answers.next().value as TextAnswer | TailtuneError };
	});
}

function count({ answer }: ClassifiedRow, skipBad: boolean, summary: RowsSummary): void {
	summary.rows++;
	if (!(answer instanceof TailtuneError)) {
		if (answer.truncated) summary.cut++;
		if (answer.labels.length === 0) summary.unlabelled++;
		return;
	}
	if (!skipBad) throw answer;
	summary.bad++;
	if (summary.errors.length < MOST_ERRORS) summary.errors.push(answer.message);
}
