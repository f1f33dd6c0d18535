import { join } from "node:path";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { checkConfig, flagOf } from "../../shared/settings/resolve-config.ts";
import { seededShuffle } from "../plan/seeded-shuffle.ts";
import { BOOK_EXPERIMENTS } from "./book-experiments.ts";
import type { SweepDefinition } from "./sweep-definition.ts";

/** A run of a sweep. */
export interface PlannedTrial {
	/** Name of its folder inside the folder of the sweep. */
	readonly folder: string;
	/** Values of the settings that differ between trials, without the seed. */
	readonly values: Readonly<Record<string, unknown>>;
	readonly seed: number;
	/** For example "2/5": the part of the texts that is the test set. */
	readonly fold?: string | undefined;
}

/**
 * Lists the trials of a sweep: every combination of values, or some of them chosen at random, with every seed and every
 * fold. All settings are tried with the first seed and fold before any is tried with the next one, so that an early end
 * leaves a comparison of all.
 */
export function planTrials(definition: SweepDefinition): PlannedTrial[] {
	const { seeds, folds } = definition;
	const settings = chooseSettings(definition);
	const parts = folds === null ? [{}] : Array.from({ length: folds }, (_, i) => ({ fold: `${i + 1}/${folds}` }));
	const trials = seeds.flatMap((seed) =>
		parts.flatMap((part) => settings.map((values) => ({ values: { ...values }, seed, ...part }))),
	);
	const digits = String(trials.length).length;
	return trials.map((trial, index) => ({ folder: `trial-${String(index + 1).padStart(digits, "0")}`, ...trial }));
}

/** Returns the values of each setting that is tried. */
function chooseSettings({ varied, samples, experiments, seeds }: SweepDefinition): Record<string, unknown>[] {
	const rows = experiments === "book" ? BOOK_EXPERIMENTS.map(({ values }) => values) : [{}];
	const all = rows.flatMap((row) => combineValues(varied).map((values) => ({ ...values, ...row })));
	if (samples === null) return all;
	const chosen = seededShuffle(all.keys(), seeds[0] ?? 0, "samples").slice(0, samples);
	return chosen.sort((a, b) => a - b).map((index) => all[index] ?? {});
}

/** Returns the settings of a trial's run. @param path folder of the sweep */
export function configOfTrial(path: string, { settings }: SweepDefinition, trial: PlannedTrial): TrainConfig {
	const { folder, values, seed, fold } = trial;
	return checkConfig({ ...settings, ...values, seed, fold: fold ?? settings.fold, out: join(path, folder) }, flagOf);
}

/** Returns every combination of the values of all settings; the last setting changes fastest. */
function combineValues(varied: SweepDefinition["varied"]): Record<string, unknown>[] {
	return Object.entries(varied).reduce<Record<string, unknown>[]>(
		(combinations, [key, values]) =>
			combinations.flatMap((combination) => values.map((value) => ({ ...combination, [key]: value }))),
		[{}],
	);
}
