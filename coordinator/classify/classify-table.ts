import { replaceFile } from "../../shared/files/write-atomic.ts";
import type { RunEvents } from "../events/run-events.ts";
import { outputFormatOf } from "../table/output-format.ts";
import { writeLines } from "../table/write-lines.ts";
import type { Classifier } from "./classifier.ts";
import { type ClassifiedRow, classifyRows, emptySummary, type RowsOptions, type RowsSummary } from "./classify-rows.ts";
import { scanTable } from "./scan-table.ts";
import { TableLines } from "./table-lines.ts";
import type { TableSource } from "./table-source.ts";
import { toClassification } from "./to-classification.ts";

/**
 * Classifies the rows of a table and writes a new table: all rows and columns in their order, and the predictions. The
 * memory doesn't grow with the number of rows. The file appears when it is complete.
 * @param out the file; its extension decides the format
 * @returns how many rows were classified, and which were not
 * @throws TailtuneError "usage" for another extension, "data" as `scanTable` and `classifyRows`, "disk", "interrupted"
 */
export async function classifyTable(
	classifier: Classifier,
	source: TableSource,
	out: string,
	options: RowsOptions,
	events: RunEvents,
): Promise<RowsSummary> {
	const format = outputFormatOf(out);
	const findFault = classifier.findFault.bind(classifier);
	const scanned = source.canReopen ? await scanTable(await source.open(), options, findFault) : undefined;
	const table = await source.open();
	const lines = new TableLines(format, scanned?.names ?? table.header?.names ?? [], classifier.settings.labels);
	if (lines.columns.names[0] !== "label") {
		const names = lines.columns.names.join(", ");
		events.line(`${source.name} has columns with the names of the new ones, which are written as ${names}`);
	}
	const summary = emptySummary();
	const bar = events.phase("classification", scanned?.rows ?? 0, "rows");
	const onRows = (count: number) => bar.advance(count);
	const rows = classifyRows(classifier, { table, name: source.name }, { ...options, onRows }, summary);
	await replaceFile(out, (file) => writeLines(file, toLines(lines, rows)));
	bar.done();
	return summary;
}

/** Classifies the rows of a table and emits an event per batch; as `classifyTable`, but without reading ahead. */
export async function printClassifications(
	classifier: Classifier,
	{ name, open }: TableSource,
	options: RowsOptions,
	events: RunEvents,
): Promise<RowsSummary> {
	const summary = emptySummary();
	const { labels } = classifier.settings;
	for await (const rows of classifyRows(classifier, { table: await open(), name }, options, summary)) {
		const results = rows.map(({ row: { source }, text, answer }) => toClassification({ text, source }, answer, labels));
		events.emit({ event: "classifications", results });
	}
	return summary;
}

async function* toLines(lines: TableLines, batches: AsyncIterable<ClassifiedRow[]>): AsyncGenerator<string> {
	yield lines.header;
	for await (const rows of batches) for (const row of rows) yield lines.lineOf(row);
}
