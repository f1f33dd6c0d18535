import type { RunConfig } from "../../shared/settings/config.ts";
import type { SetScores } from "./set-scores.ts";

/** The score that compares epochs: `--metric`. */
export type Metric = RunConfig["metric"];

/** A name for people, for example "macro F1". */
export const METRIC_NAMES: Readonly<Record<Metric, string>> = {
	accuracy: "accuracy",
	"balanced-accuracy": "balanced accuracy",
	"macro-f1": "macro F1",
	mcc: "MCC",
	loss: "loss",
};

/** The largest class may have this many times the texts of the smallest one before accuracy is misleading. */
const MOST_UNEVEN = 2;

/**
 * Returns the default of `--metric`: macro F1 if the classes of the validation set are uneven, otherwise accuracy.
 * Predicting only the largest class can give a high accuracy, but no high macro F1.
 * @param texts number of texts of each class in the validation set
 */
export function defaultMetric(texts: readonly number[]): Metric {
	return Math.max(...texts) > MOST_UNEVEN * Math.min(...texts) ? "macro-f1" : "accuracy";
}

/** Returns whether a score is better than the best one so far: a better metric, or the same with a smaller loss. */
export function isBetterScore(metric: Metric, best: SetScores | undefined, score: SetScores): boolean {
	if (!best) return true;
	const difference = compareScores(metric, score, best);
	return difference > 0 || (difference === 0 && score.loss < best.loss);
}

/** Returns a positive number if the first score is better by a metric, 0 if they are equal. */
export function compareScores(metric: Metric, a: SetScores, b: SetScores): number {
	return compareValues(metric, scoreOf(metric, a), scoreOf(metric, b));
}

/** As `compareScores`, for values of the metric. */
export function compareValues(metric: Metric, a: number, b: number): number {
	return metric === "loss" ? b - a : a - b;
}

/** Returns the score of a metric. An undefined MCC counts as 0, as in scikit-learn. */
export function scoreOf(metric: Metric, { accuracy, balancedAccuracy, macroF1, mcc, loss }: SetScores): number {
	switch (metric) {
		case "accuracy":
			return accuracy;
		case "balanced-accuracy":
			return balancedAccuracy;
		case "macro-f1":
			return macroF1;
		case "mcc":
			return mcc ?? 0;
		case "loss":
			return loss;
	}
}
