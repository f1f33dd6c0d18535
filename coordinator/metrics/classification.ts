import { sum } from "./sum.ts";

/**
 * Precision, recall and F1 of one class. 0 / 0 is null, not 0: precision if no text was predicted as the class, recall
 * if no text belongs to it, F1 if both are true.
 */
export interface ClassScore {
	/** Of the texts predicted as this class, the share that belongs to it. */
	readonly precision: number | null;
	/** Of the texts of this class, the share that was predicted as it. */
	readonly recall: number | null;
	/** Harmonic mean of both: 2 TP / (2 TP + FP + FN). */
	readonly f1: number | null;
	/** Texts of this class. */
	readonly support: number;
}

/**
 * Counts by true class (row) and predicted class (column).
 * @param labels true classes, each in [0, classes)
 * @param predictions one per label, each in [0, classes)
 */
export function confusionMatrix(
	labels: readonly number[],
	predictions: readonly number[],
	classes: number,
): number[][] {
	const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
	labels.forEach((label, i) => {
		const row = counts[label];
		const prediction = predictions[i];
		if (row && prediction !== undefined) row[prediction] = (row[prediction] ?? 0) + 1;
	});
	return counts;
}

/** Returns the label with the largest logit of each text, or the first of equal ones. @param logits [texts, classes] */
export function predictedLabels(logits: readonly number[], classes: number): number[] {
	return Array.from({ length: logits.length / classes }, (_, text) => {
		let best = 0;
		for (let label = 1; label < classes; label++) {
			if ((logits[text * classes + label] ?? 0) > (logits[text * classes + best] ?? 0)) best = label;
		}
		return best;
	});
}

/** Numbers of texts by class, in order; all scores of predictions are computed from them. */
export interface ClassCounts {
	/** Texts of the class. */
	readonly support: readonly number[];
	/** Texts that were predicted as the class. */
	readonly predicted: readonly number[];
	/** Texts of the class that were predicted as it. */
	readonly hits: readonly number[];
}

/** Counts the texts of each class. @param confusion square matrix of `confusionMatrix` */
export function countClasses(confusion: readonly (readonly number[])[]): ClassCounts {
	const predicted = confusion.map(() => 0);
	for (const row of confusion) {
		for (const [label, count] of row.entries()) predicted[label] = (predicted[label] ?? 0) + count;
	}
	return { support: confusion.map(sum), predicted, hits: confusion.map((row, own) => row[own] ?? 0) };
}

/** Computes the scores of every class, in order. */
export function classScores({ support, predicted, hits }: ClassCounts): ClassScore[] {
	return hits.map((found, label) => {
		const [own = 0, all = 0] = [support[label], predicted[label]];
		return {
			precision: ratio(found, all),
			recall: ratio(found, own),
			f1: ratio(2 * found, all + own),
			support: own,
		};
	});
}

/** The accuracy on a set of always predicting the set's most frequent class. */
export interface MajorityBaseline {
	/** The most frequent class; the first one of equally frequent ones. */
	readonly label: number;
	/** Its share of the texts. */
	readonly accuracy: number;
}

/**
 * Computes the majority baseline of a set.
 * @param labels true classes of the set, at least one, each in [0, classes)
 */
export function majorityBaseline(labels: readonly number[], classes: number): MajorityBaseline {
	const counts = new Array<number>(classes).fill(0);
	for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
	const most = counts.reduce((largest, count) => Math.max(largest, count), 0);
	return { label: counts.indexOf(most), accuracy: most / labels.length };
}

function ratio(part: number, whole: number): number | null {
	return whole === 0 ? null : part / whole;
}
