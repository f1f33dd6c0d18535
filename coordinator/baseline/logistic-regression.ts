import { findMinimum, type Limits } from "./find-minimum.ts";
import type { SparseRows } from "./tf-idf.ts";

/** A fitted logistic regression. */
export interface LogisticRegression {
	readonly classes: number;
	/** Weights of each feature and, last, the intercepts: one number per class, or one of two classes. */
	readonly parameters: Float64Array;
}

/**
 * Fits a logistic regression with L2 regularization, as scikit-learn's `LogisticRegression` with its defaults (C = 1):
 * it minimizes half the squared weights plus the sum of the texts' cross-entropies. Two classes have one weight per
 * feature, more classes one each.
 * @param labels true class of each row, in [0, classes)
 */
export async function fitLogisticRegression(
	rows: SparseRows,
	labels: readonly number[],
	classes: number,
	limits: Limits,
): Promise<LogisticRegression> {
	const width = widthOf(classes);
	const intercepts = rows.features * width;
	const penalty = 1 / labels.length;
	const scores = new Float64Array(classes);
	const objective = (parameters: Float64Array, gradient: Float64Array) => {
		let loss = 0;
		for (let row = 0; row < labels.length; row++) {
			const label = labels[row] ?? 0;
			readScores(rows, row, parameters, scores);
			loss -= toProbabilities(scores, label);
			scores[label] = (scores[label] ?? 0) - 1;
			addGradient(rows, row, scores, gradient);
		}
		for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i] ?? 0) / labels.length;
		let squares = 0;
		for (let i = 0; i < intercepts; i++) {
			const weight = parameters[i] ?? 0;
			squares += weight * weight;
			gradient[i] = (gradient[i] ?? 0) + penalty * weight;
		}
		return loss / labels.length + (penalty / 2) * squares;
	};
	return { classes, parameters: await findMinimum(objective, guessCurvature(rows, labels.length, classes), limits) };
}

/** Returns the logits of each row: row-major [rows, classes]. */
export function logitsOf({ classes, parameters }: LogisticRegression, rows: SparseRows): number[] {
	const scores = new Float64Array(classes);
	return Array.from({ length: rows.starts.length - 1 }, (_, row) => {
		readScores(rows, row, parameters, scores);
		return [...scores];
	}).flat();
}

/** Number of parameters per feature: of two classes the first one's score is always 0. */
export function widthOf(classes: number): number {
	return classes === 2 ? 1 : classes;
}

function readScores(rows: SparseRows, row: number, parameters: Float64Array, scores: Float64Array): void {
	const { starts, columns, values, features } = rows;
	const width = widthOf(scores.length);
	const first = scores.length - width;
	scores.fill(0);
	for (let k = 0; k < width; k++) scores[first + k] = parameters[features * width + k] ?? 0;
	for (let at = starts[row] ?? 0; at < (starts[row + 1] ?? 0); at++) {
		const value = values[at] ?? 0;
		const from = (columns[at] ?? 0) * width;
		for (let k = 0; k < width; k++) scores[first + k] = (scores[first + k] ?? 0) + value * (parameters[from + k] ?? 0);
	}
}

/** Replaces scores by probabilities. @returns the logarithm of the label's probability */
function toProbabilities(scores: Float64Array, label: number): number {
	let largest = Number.NEGATIVE_INFINITY;
	for (let c = 0; c < scores.length; c++) largest = Math.max(largest, scores[c] ?? 0);
	const own = (scores[label] ?? 0) - largest;
	let sum = 0;
	for (let c = 0; c < scores.length; c++) {
		const weight = Math.exp((scores[c] ?? 0) - largest);
		scores[c] = weight;
		sum += weight;
	}
	for (let c = 0; c < scores.length; c++) scores[c] = (scores[c] ?? 0) / sum;
	return own - Math.log(sum);
}

function addGradient(rows: SparseRows, row: number, slopes: Float64Array, gradient: Float64Array): void {
	const { starts, columns, values, features } = rows;
	const width = widthOf(slopes.length);
	const first = slopes.length - width;
	for (let at = starts[row] ?? 0; at < (starts[row + 1] ?? 0); at++) {
		const value = values[at] ?? 0;
		const from = (columns[at] ?? 0) * width;
		for (let k = 0; k < width; k++) gradient[from + k] = (gradient[from + k] ?? 0) + value * (slopes[first + k] ?? 0);
	}
	for (let k = 0; k < width; k++) {
		const intercept = features * width + k;
		gradient[intercept] = (gradient[intercept] ?? 0) + (slopes[first + k] ?? 0);
	}
}

/** Returns about the second derivatives of the mean loss, if all classes were equally probable. */
function guessCurvature({ columns, values, features }: SparseRows, texts: number, classes: number): Float64Array {
	const width = widthOf(classes);
	const spread = (1 / classes) * (1 - 1 / classes);
	const curvature = new Float64Array((features + 1) * width).fill(1 / texts);
	for (let at = 0; at < values.length; at++) {
		const from = (columns[at] ?? 0) * width;
		const share = (spread * (values[at] ?? 0) ** 2) / texts;
		for (let k = 0; k < width; k++) curvature[from + k] = (curvature[from + k] ?? 0) + share;
	}
	return curvature.fill(spread, features * width);
}
