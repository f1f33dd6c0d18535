import { isDeepStrictEqual } from "node:util";
import { flagOf } from "../../shared/settings/resolve-config.ts";
import type { SweepState, TrialResult } from "./sweep-schema.ts";

type Values = TrialResult["values"];

/** Returns the settings that differ between trials. */
export function listVariedKeys({ trials }: SweepState): string[] {
	return [...new Set(trials.flatMap(({ values }) => Object.keys(values)))];
}

/** Returns the name of a setting: its flag without dashes. */
export function nameOfSetting(key: string): string {
	return flagOf(key).slice(2);
}

/** Returns the value of a setting as text; a dash if the trial doesn't have it. */
export function formatValue(value: unknown): string {
	if (value === undefined) return "–";
	return typeof value === "string" ? value : JSON.stringify(value);
}

/** Whether a trial is over: no more epochs are trained. */
export function hasEnded({ state }: Pick<TrialResult, "state">): boolean {
	return state !== "waiting" && state !== "paused";
}

/** Whether a trial has these values of the settings that differ. */
export function hasValues(trial: Pick<TrialResult, "values">, values: Values): boolean {
	return isDeepStrictEqual(trial.values, values);
}

/** Returns the trials with a score that have these values. */
export function listTrialsOf({ trials }: Pick<SweepState, "trials">, values: Values): TrialResult[] {
	return trials.filter((trial) => trial.score !== null && hasValues(trial, values));
}
