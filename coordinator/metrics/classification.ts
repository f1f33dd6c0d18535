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

/**
 * Computes the scores of every class, in order.
 * @param confusion square matrix of `confusionMatrix`
 */
export function classScores(confusion: readonly (readonly number[])[]): ClassScore[] {
	return confusion.map((row, own) => {
		const hits = row[own] ?? 0;
		const support = sum(row);
		const predicted = sum(confusion.map((counts) => counts[own] ?? 0));
		return {
			precision: ratio(hits, predicted),
			recall: ratio(hits, support),
			f1: ratio(2 * hits, predicted + support),
			support,
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

/**
 * Computes Wilson's 95 % confidence interval of an accuracy measured on `texts` texts.
 * Wilson (1927), "Probable inference, the law of succession, and statistical inference"; z = 1.96.
 * @returns lower and upper bound, within [0, 1]
 */
export function accuracyInterval(accuracy: number, texts: number): readonly [number, number] {
	const z2 = 1.959964 ** 2;
	const centre = accuracy + z2 / (2 * texts);
	const reach = Math.sqrt(z2 * ((accuracy * (1 - accuracy)) / texts + z2 / (4 * texts * texts)));
	const scale = 1 + z2 / texts;
	return [Math.max(0, (centre - reach) / scale), Math.min(1, (centre + reach) / scale)];
}

function ratio(part: number, whole: number): number | null {
	return whole === 0 ? null : part / whole;
}

function sum(values: readonly number[]): number {
	return values.reduce((total, value) => total + value, 0);
}
