import { type ClassCounts, classScores } from "./classification.ts";
import { sum } from "./sum.ts";

/** Scores of a whole set of texts. */
export interface OverallScores {
	/** Share of the texts with the correct prediction. */
	readonly accuracy: number;
	/** Mean recall of the classes that have texts. */
	readonly balancedAccuracy: number;
	/** Mean F1 of the classes that have texts or are predicted. */
	readonly macroF1: number;
	/** Matthews' correlation coefficient, in [-1, 1]; null if all texts have one class, or all predictions are one. */
	readonly mcc: number | null;
}

/**
 * Computes the scores of a set, as scikit-learn's `accuracy_score`, `balanced_accuracy_score`, `f1_score` (macro) and
 * `matthews_corrcoef` (which is 0 instead of null).
 * @param counts of at least one text
 */
export function overallScores(counts: ClassCounts): OverallScores {
	const perClass = classScores(counts);
	const texts = sum(counts.support);
	return {
		accuracy: sum(counts.hits) / texts,
		balancedAccuracy: meanOf(perClass.map(({ recall }) => recall)),
		macroF1: meanOf(perClass.map(({ f1 }) => f1)),
		mcc: matthewsCorrelation(counts, texts),
	};
}

/** Gorodkin (2004), "Comparing two K-category assignments by a K-category correlation coefficient". */
function matthewsCorrelation({ support, predicted, hits }: ClassCounts, texts: number): number | null {
	const products = (a: readonly number[], b: readonly number[]) => sum(a.map((value, i) => value * (b[i] ?? 0)));
	const spread = texts ** 2 - products(support, support);
	const predictedSpread = texts ** 2 - products(predicted, predicted);
	if (spread === 0 || predictedSpread === 0) return null;
	const covariance = sum(hits) * texts - products(support, predicted);
	// The rounded root may put the result just outside [-1, 1].
	return Math.max(-1, Math.min(1, covariance / Math.sqrt(spread * predictedSpread)));
}

/** Returns the mean of the values that aren't null. */
function meanOf(values: readonly (number | null)[]): number {
	const known = values.filter((value) => value !== null);
	return sum(known) / known.length;
}
