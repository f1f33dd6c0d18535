/**
 * Precision, recall and F1 of one class. A ratio of 0 to 0 is null, not 0: precision where nothing was taken for the
 * class, recall where no text has it, F1 where both hold.
 */
export interface ClassScore {
	/** Of the texts taken for this class, the share that has it. */
	readonly precision: number | null;
	/** Of the texts of this class, the share that was found. */
	readonly recall: number | null;
	/** Harmonic mean of both: 2 TP / (2 TP + FP + FN). */
	readonly f1: number | null;
	/** Texts of this class. */
	readonly support: number;
}

/**
 * Counts by true class (row) and predicted class (column).
 * @param labels true classes, each in [0, classes)
 * @param predictions as many, each in [0, classes)
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

/** The scores of every class, in order. @param confusion square, as `confusionMatrix` makes it */
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

/** The accuracy that always answering the most frequent class of a set reaches on that set. */
export interface MajorityBaseline {
	/** The most frequent class, the first of equals. */
	readonly label: number;
	/** Its share of the texts. */
	readonly accuracy: number;
}

/** @param labels of the set that is measured, at least one, each in [0, classes) */
export function majorityBaseline(labels: readonly number[], classes: number): MajorityBaseline {
	const counts = new Array<number>(classes).fill(0);
	for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
	const most = counts.reduce((largest, count) => Math.max(largest, count), 0);
	return { label: counts.indexOf(most), accuracy: most / labels.length };
}

/**
 * Wilson's 95 % interval of an accuracy that was measured on so many texts.
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
