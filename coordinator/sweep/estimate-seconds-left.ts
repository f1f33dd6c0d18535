import type { SweepState, TrialResult } from "../events/sweep-schema.ts";
import { hasValues } from "../events/sweep-settings.ts";
import { spreadOf } from "./rank-settings.ts";

/**
 * Estimates the seconds for the trials that aren't finished. Each takes as long as those with the same values, or, if
 * there are none, as the average of all. The first trial prepares texts and features for all: if they are kept, its
 * preparation isn't counted.
 * @param atOnce trials that run at once
 * @returns null if no trial has a result
 */
export function estimateSecondsLeft({ trials, settings, halving }: Progress, atOnce: number): number | null {
	const known = trials.filter(({ score }) => score !== null);
	if (known.length === 0) return null;
	const isKept = settings.featureCache !== 0;
	const preparation = averageOf(known.slice(isKept ? 1 : 0).map((trial) => trial.preparation ?? 0));
	if (halving)
		return estimatePasses({ trials, halving }, averageOf(known.map(epochSeconds)), preparation) / Math.max(1, atOnce);
	const waiting = trials.filter(({ state }) => state === "waiting");
	const left = waiting.map(({ values }) => {
		const same = known.filter((trial) => hasValues(trial, values));
		return preparation + averageOf((same.length > 0 ? same : known).map(trainingSeconds));
	});
	return left.reduce((sum, seconds) => sum + seconds, 0) / Math.max(1, Math.min(atOnce, left.length));
}

type Progress = Pick<SweepState, "trials" | "settings" | "halving">;

/**
 * Each trial is trained on each rung that it reaches, from the epoch of the one before. A rung that no trial has
 * reached is counted with all its settings, unless fewer trials can still reach it.
 */
function estimatePasses(
	{ trials, halving }: { trials: readonly TrialResult[]; halving: NonNullable<SweepState["halving"]> },
	perEpoch: number,
	preparation: number,
): number {
	const [first] = halving.rungs;
	const perSetting = trials.length / (first?.settings ?? 1);
	const able = trials.filter(({ state }) => state !== "failed" && state !== "stopped");
	const passes = halving.rungs.map(({ epochs, settings }, i) => {
		const isReached = trials.some((trial) => (trial.rung ?? 1) > i);
		const open = able.filter((trial) => (trial.rung ?? 1) > i && (trial.epochs ?? 0) < epochs);
		const left = isReached ? open.length : Math.min(settings * perSetting, able.length);
		return left * (preparation + perEpoch * (epochs - (halving.rungs[i - 1]?.epochs ?? 0)));
	});
	return passes.reduce((sum, seconds) => sum + seconds, 0);
}

function trainingSeconds({ seconds, preparation }: TrialResult): number {
	return Math.max(0, (seconds ?? 0) - (preparation ?? 0));
}

function epochSeconds(trial: TrialResult): number {
	return trainingSeconds(trial) / Math.max(1, trial.epochs ?? 1);
}

function averageOf(numbers: readonly number[]): number {
	return numbers.length === 0 ? 0 : spreadOf(numbers).mean;
}
