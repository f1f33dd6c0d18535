import type { SweepState, TrialResult } from "../events/sweep-schema.ts";
import { hasValues, listTrialsOf } from "../events/sweep-settings.ts";
import { compareValues, type Metric } from "../metrics/best-score.ts";

type Ranking = SweepState["ranking"];
type Spread = Ranking[number]["validation"];

/**
 * Ranks the settings by their mean validation score, the best one first; equal ones stay in the trials' order. With
 * successive halving, scores after more epochs come first, because scores after different epochs can't be compared.
 */
export function rankSettings({ trials, halving }: Pick<SweepState, "trials" | "halving">, metric: Metric): Ranking {
	const scored = trials.filter(({ score }) => score !== null);
	const settings = scored.filter(({ values }, i) => scored.findIndex((trial) => hasValues(trial, values)) === i);
	const rows = settings.map(({ values }) => {
		const own = listTrialsOf({ trials }, values);
		const validation = spreadOf(own.map(({ score }) => score ?? 0));
		const seconds = spreadOf(own.map((trial) => trial.seconds ?? 0)).mean;
		const rung = Math.max(...own.map((trial) => trial.rung ?? 0));
		const epochs = halving?.rungs[rung - 1]?.epochs;
		return { values, trials: own.length, ...(epochs !== undefined && { epochs }), validation, seconds };
	});
	return rows.sort(
		(a, b) => (b.epochs ?? 0) - (a.epochs ?? 0) || compareValues(metric, b.validation.mean, a.validation.mean),
	);
}

/** Returns the trial with the best validation score. @param trials finished ones, at least one */
export function bestTrial(trials: readonly TrialResult[], metric: Metric): TrialResult | undefined {
	return trials.toSorted((a, b) => compareValues(metric, b.score ?? 0, a.score ?? 0))[0];
}

/** Returns mean and sample standard deviation of at least one number. */
export function spreadOf(numbers: readonly number[]): Spread {
	const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
	if (numbers.length < 2) return { mean, deviation: null };
	const squares = numbers.reduce((sum, number) => sum + (number - mean) ** 2, 0);
	return { mean, deviation: Math.sqrt(squares / (numbers.length - 1)) };
}
