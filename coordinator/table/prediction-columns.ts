import { nameProbabilities } from "../metrics/probabilities.ts";
import type { OutputFormat } from "./output-format.ts";

/** The prediction for a text, as a table shows it. */
export interface TablePrediction {
	/** Name of the predicted label. */
	readonly label: string;
	/** Probability of each label, in the order of the labels. */
	readonly probabilities: readonly number[];
	/** Number of tokens that were read. */
	readonly tokens: number;
	/** Whether the text has more tokens. */
	readonly cut: boolean;
}

/** Columns of a table that hold the predictions. */
export interface PredictionColumns {
	readonly names: readonly string[];
	/** Returns the value of each column; each is undefined if there is no prediction. */
	valuesOf(prediction: TablePrediction | undefined): unknown[];
}

/**
 * Returns the columns of the predicted label, the probability of each label, `tokens` and `cut`. The probabilities are
 * one field of a JSON object, and one column per label in CSV.
 * @param labels names of the labels
 * @param label name of the first column; default "label"
 * @param prefix beginning of every name; default: none
 */
export function predictionColumns(
	format: OutputFormat,
	labels: readonly string[],
	{ label = "label", prefix = "" } = {},
): PredictionColumns {
	const isCsv = format === "csv";
	const probabilities = isCsv ? labels.map((label) => `probability_${label}`) : ["probabilities"];
	const names = [label, ...probabilities, "tokens", "cut"].map((name) => prefix + name);
	return {
		names,
		valuesOf(prediction) {
			if (!prediction) return names.map(() => undefined);
			const { label: predicted, probabilities: shares, tokens, cut } = prediction;
			return [predicted, ...(isCsv ? shares : [nameProbabilities(labels, shares)]), tokens, cut];
		},
	};
}
