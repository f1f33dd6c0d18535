import { TailtuneError } from "../../shared/errors.ts";
import { refuseRounded } from "../data/json-row.ts";
import type { TableRow } from "../data/table.ts";
import { nameLabels } from "../metrics/probabilities.ts";
import { type OutputFormat, toCsvLine, toJsonFields, toJsonLine } from "../table/output-format.ts";
import { type PredictionColumns, predictionColumns, type TablePrediction } from "../table/prediction-columns.ts";
import type { TextAnswer } from "./classifier.ts";
import type { ClassifiedRow } from "./classify-rows.ts";

/** Formats the lines of a classified table: the columns of the input, then those of the predictions. */
export class TableLines {
	readonly columns: PredictionColumns;
	readonly #format: OutputFormat;
	readonly #names: readonly string[];
	readonly #labels: readonly string[];

	/**
	 * @param names columns of the input. If one has the name of a prediction's column, all of the latter get a prefix.
	 * @throws TailtuneError "usage" if JSON can't hold the columns because two have the same name
	 */
	constructor(format: OutputFormat, names: readonly string[], labels: readonly string[]) {
		this.#format = format;
		this.#names = names;
		this.#labels = labels;
		this.columns = freeColumns(format, names, labels);
		const repeated = names.find((name, index) => names.indexOf(name) !== index);
		if (format === "csv" || repeated === undefined) return;
		const found = `found two columns ${JSON.stringify(repeated)}, which a JSON object can't have`;
		throw new TailtuneError("usage", `--out: ${found}; expected a file named .csv`);
	}

	/** The line before the rows; empty in JSON. */
	get header(): string {
		return this.#format === "csv" ? toCsvLine([...this.#names, ...this.columns.names]) : "";
	}

	/** Formats a row; without an answer, the prediction's columns are blank. */
	lineOf({ row, answer }: ClassifiedRow): string {
		const prediction = answer instanceof TailtuneError ? undefined : toTablePrediction(answer, this.#labels);
		const added = this.columns.valuesOf(prediction);
		if (this.#format === "csv") return toCsvLine([...this.#fieldsOf(row), ...added]);
		if (row.json === undefined) return toJsonLine([...row.names, ...this.columns.names], [...fieldsOf(row), ...added]);
		// The input's own text, because numbers of many digits would be rounded otherwise.
		const own = row.json.slice(0, -1).trimEnd();
		return `${own}${own === "{" ? "" : ","}${toJsonFields(this.columns.names, added)}}\n`;
	}

	#fieldsOf(row: TableRow): unknown[] {
		if (row.json === undefined) return [...fieldsOf(row), ...this.#names.slice(row.names.length).map(() => undefined)];
		const values = new Map(row.names.map((name, index) => [name, row.values[index]]));
		for (const name of this.#names)
			refuseRounded(values.get(name), `${row.source}: ${name}`, ", or --out FILE.jsonl, which keeps it");
		return this.#names.map((name) => values.get(name));
	}
}

/** Converts an answer to the values that tables show. @param labels names of the labels */
export function toTablePrediction(
	{ labels: found, probabilities, tokens, truncated }: TextAnswer,
	labels: readonly string[],
): TablePrediction {
	return { label: nameLabels(labels, found), probabilities, tokens, cut: truncated };
}

/** Returns one value per column of a row. Surplus fields are joined to the last one, so that nothing is lost. */
function fieldsOf({ names, values }: TableRow): unknown[] {
	const last = names.length - 1;
	if (values.length <= names.length) return names.map((_, index) => values[index]);
	return [...values.slice(0, last), values.slice(last).join(",")];
}

function freeColumns(format: OutputFormat, names: readonly string[], labels: readonly string[]): PredictionColumns {
	const taken = new Set(names);
	for (let prefix = ""; ; prefix += "predicted_") {
		const columns = predictionColumns(format, labels, { prefix });
		if (!columns.names.some((name) => taken.has(name))) return columns;
	}
}
