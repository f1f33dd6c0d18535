import type { TrialResult } from "../events/sweep-schema.ts";
import { hasValues, spreadOf } from "./rank-settings.ts";

/**
 * Estimates the seconds for the trials that aren't finished: each takes as long as the finished trials with the same
 * values, or, if there are none, as long as all finished trials on average.
 * @returns null if no trial is finished
 */
export function estimateSecondsLeft(trials: readonly TrialResult[]): number | null {
	const finished = trials.filter(({ state }) => state === "finished");
	if (finished.length === 0) return null;
	const meanOf = (some: readonly TrialResult[]) => spreadOf(some.map(({ seconds }) => seconds ?? 0)).mean;
	const left = trials
		.filter(({ state }) => state === "waiting")
		.map(({ values }) => {
			const same = finished.filter((trial) => hasValues(trial, values));
			return meanOf(same.length > 0 ? same : finished);
		});
	return left.reduce((sum, seconds) => sum + seconds, 0);
}
