import { isDeepStrictEqual } from "node:util";
import type { SweepState, TrialResult } from "../events/sweep-schema.ts";
import { compareValues, type Metric } from "../metrics/best-score.ts";

type Ranking = SweepState["ranking"];
type Spread = Ranking[number]["validation"];

/** Ranks the settings by their mean validation score, the best one first; equal ones stay in the trials' order. */
export function rankSettings(trials: readonly TrialResult[], metric: Metric): Ranking {
	const finished = trials.filter(({ state }) => state === "finished");
	const settings = finished.filter(({ values }, i) => finished.findIndex((trial) => hasValues(trial, values)) === i);
	const rows = settings.map(({ values }) => {
		const own = finished.filter((trial) => hasValues(trial, values));
		const validation = spreadOf(own.map(({ score }) => score ?? 0));
		return { values, trials: own.length, validation, seconds: spreadOf(own.map(({ seconds }) => seconds ?? 0)).mean };
	});
	return rows.sort((a, b) => compareValues(metric, b.validation.mean, a.validation.mean));
}

/** Whether a trial has these values of the settings that differ. */
export function hasValues(trial: Pick<TrialResult, "values">, values: TrialResult["values"]): boolean {
	return isDeepStrictEqual(trial.values, values);
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
