import { predictedLabels } from "./classification.ts";
import { toProbabilities } from "./probabilities.ts";

/** Texts whose largest probability lies in the same range. */
export interface ReliabilityBin {
	/** Number of texts. */
	readonly texts: number;
	/** Their mean largest probability; null without texts. */
	readonly confidence: number | null;
	/** The share of them that was predicted right; null without texts. */
	readonly accuracy: number | null;
}

/** How well the probabilities of predictions agree with how often these are right. */
export interface Reliability {
	/** Expected calibration error: mean difference of confidence and accuracy, weighted by texts. */
	readonly error: number;
	/** Fifteen ranges of equal width from 0 to 1; each includes its upper end. */
	readonly bins: ReliabilityBin[];
}

const BINS = 15;
const LOWEST_TEMPERATURE = 0.05;
const HIGHEST_TEMPERATURE = 20;
/** Halvings of the range of temperatures, enough for double precision. */
const HALVINGS = 60;

/**
 * Fits the temperature by which logits are divided so that the cross-entropy is smallest. Predictions stay the same.
 * Guo et al. (2017), "On calibration of modern neural networks".
 * @param logits row-major [labels, classes]
 * @param labels true classes
 * @returns a temperature from 0.05 to 20; 1 if every prediction is right, because then there is no minimum
 */
export function fitTemperature(logits: readonly number[], labels: readonly number[], classes: number): number {
	if (predictedLabels(logits, classes).every((predicted, text) => predicted === labels[text])) return 1;
	const rows = labels.map((_, text) => logits.slice(text * classes, (text + 1) * classes));
	let [low, high] = [1 / HIGHEST_TEMPERATURE, 1 / LOWEST_TEMPERATURE];
	for (let halving = 0; halving < HALVINGS; halving++) {
		const middle = (low + high) / 2;
		if (slopeAt(rows, labels, middle) < 0) low = middle;
		else high = middle;
	}
	return 2 / (low + high);
}

/** Computes the expected calibration error of 15 ranges of the largest probability, and the ranges. */
export function measureReliability(
	logits: readonly number[],
	labels: readonly number[],
	classes: number,
	temperature: number,
): Reliability {
	const sums = Array.from({ length: BINS }, () => ({ texts: 0, confidence: 0, right: 0 }));
	const predicted = predictedLabels(logits, classes);
	for (const [text, label] of labels.entries()) {
		const row = logits.slice(text * classes, (text + 1) * classes);
		const confidence = Math.max(...toProbabilities(row, temperature));
		const bin = sums[Math.min(BINS - 1, Math.ceil(confidence * BINS) - 1)];
		if (!bin) continue;
		bin.texts++;
		bin.confidence += confidence;
		if (predicted[text] === label) bin.right++;
	}
	const error = sums.reduce((total, { confidence, right }) => total + Math.abs(confidence - right), 0) / labels.length;
	const bins = sums.map(({ texts, confidence, right }) => ({
		texts,
		confidence: texts === 0 ? null : Math.min(1, confidence / texts),
		accuracy: texts === 0 ? null : right / texts,
	}));
	return { error, bins };
}

/** Derivative of the total cross-entropy by the factor of the logits; it grows with the factor. */
function slopeAt(rows: readonly (readonly number[])[], labels: readonly number[], factor: number): number {
	let slope = 0;
	for (const [text, row] of rows.entries()) {
		const probabilities = toProbabilities(row, 1 / factor);
		slope -= row[labels[text] ?? 0] ?? 0;
		for (const [label, logit] of row.entries()) slope += (probabilities[label] ?? 0) * logit;
	}
	return slope;
}
