import {
	type ClassCounts,
	type ClassScore,
	classScores,
	confusionMatrix,
	countClasses,
	predictedLabels,
} from "./classification.ts";
import { crossEntropy } from "./cross-entropy.ts";
import { bootstrapIntervals, cellsOf, type Interval, wilsonInterval } from "./intervals.ts";
import { type OverallScores, overallScores } from "./overall-scores.ts";
import { classLogOdds, type RankingScores, rankingScores } from "./ranking.ts";

/** Scores of a whole set, and the mean cross-entropy per text in nats. */
export interface SetScores extends OverallScores {
	readonly loss: number;
	/** F1 of all pairs of a text and a label together; only if texts have several labels. */
	readonly microF1?: number | undefined;
}

/** All scores of one class, with 95 % confidence intervals. */
export interface ClassDetails extends ClassScore, RankingScores {
	readonly precisionInterval: Interval | null;
	readonly recallInterval: Interval | null;
	readonly f1Interval: Interval | null;
}

/** 95 % confidence intervals of the scores of a whole set. */
export type OverallIntervals = { readonly [Score in keyof OverallScores]: Interval | null } & {
	/** Only if texts have several labels. */
	readonly microF1?: Interval | null | undefined;
};

/** Every score of a set of texts. */
export interface DetailedScores extends SetScores {
	readonly intervals: OverallIntervals;
	readonly confusion: number[][];
	readonly perClass: ClassDetails[];
}

/**
 * Computes loss and scores of a set.
 * @param logits row-major [labels, classes]
 * @param labels true classes, at least one
 * @param predicted classes; default: those with the largest logits
 */
export function scoreSet(
	logits: readonly number[],
	labels: readonly number[],
	classes: number,
	predicted = predictedLabels(logits, classes),
): SetScores {
	const confusion = confusionMatrix(labels, predicted, classes);
	return { loss: crossEntropy(logits, labels, classes), ...overallScores(countClasses(confusion)) };
}

/**
 * Computes every score of a set with its confidence interval: Wilson's for shares of texts, and the bootstrap for the
 * others. Parameters as in `scoreSet`.
 */
export function scoreInDetail(
	logits: readonly number[],
	labels: readonly number[],
	classes: number,
	predicted = predictedLabels(logits, classes),
): DetailedScores {
	const confusion = confusionMatrix(labels, predicted, classes);
	const counts = countClasses(confusion);
	const overall = overallScores(counts);
	const odds = classLogOdds(logits, classes);
	const [balancedAccuracy = null, macroF1 = null, mcc = null, ...f1] = bootstrapIntervals(
		cellsOf(confusion),
		classes,
		(resample) => {
			const scores = overallScores(resample);
			return [scores.balancedAccuracy, scores.macroF1, scores.mcc, ...classScores(resample).map((score) => score.f1)];
		},
	);
	return {
		loss: crossEntropy(logits, labels, classes),
		...overall,
		intervals: { accuracy: wilsonInterval(overall.accuracy, labels.length), balancedAccuracy, macroF1, mcc },
		confusion,
		perClass: classDetails(counts, f1, (label) =>
			rankingScores(
				odds[label] as Float64Array,
				labels.map((own) => own === label),
			),
		),
	};
}

/**
 * Returns all scores of each class.
 * @param f1Intervals one per class, or none
 * @param rank returns how well the scores of a class rank its texts
 */
export function classDetails(
	counts: ClassCounts,
	f1Intervals: readonly (Interval | null)[],
	rank: (label: number) => RankingScores,
): ClassDetails[] {
	return classScores(counts).map((score, label) => ({
		...score,
		...rank(label),
		precisionInterval: wilsonInterval(score.precision, counts.predicted[label] ?? 0),
		recallInterval: wilsonInterval(score.recall, score.support),
		f1Interval: score.f1 === null ? null : (f1Intervals[label] ?? null),
	}));
}
