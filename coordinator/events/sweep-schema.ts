import { z } from "zod";
import { trainConfigSchema } from "../../shared/settings/config.ts";

const count = z.int().min(0);
const metric = trainConfigSchema.shape.metric
	.unwrap()
	.nullable()
	.describe("the validation score that the settings are compared by; null before the first result");
const values = z
	.record(z.string(), z.unknown())
	.describe("values of the settings that differ between the trials, by their names as in `config.json`");

const spread = z.strictObject({
	mean: z.number().describe("mean over the finished trials"),
	deviation: z.number().min(0).nullable().describe("standard deviation (n - 1); null with one trial"),
});

const trialSchema = z.strictObject({
	folder: z.string().describe("folder of the run, inside the folder of the sweep"),
	values,
	seed: count.describe("`--seed` of the run"),
	fold: z.string().optional().describe("`--fold` of the run, with `--folds`"),
	state: z
		.enum(["waiting", "paused", "stopped", "finished", "failed"])
		.describe(
			"waiting: not begun, or not finished; paused, stopped: trained up to a rung of `halving`; stopped: other settings were better; failed: the training diverged",
		),
	error: z.string().optional().describe("why the trial failed"),
	score: z
		.number()
		.nullable()
		.describe("the score `metric` on the validation set; null without a result; of a paused run, the score so far"),
	seconds: z.number().min(0).nullable().describe("how long the run took; null without a result"),
	preparation: z
		.number()
		.min(0)
		.optional()
		.describe("seconds of these before the first step; later trials may find tokens and features in the cache"),
	epochs: count.optional().describe("with `halving`: epochs up to which the run was trained"),
	rung: count.optional().describe("with `halving`: the last rung on which the setting was compared, from 1"),
});

/** One trial of a sweep: a run, and its state. */
export type TrialResult = z.infer<typeof trialSchema>;

/** Fields of the state of a sweep, which are also those of `sweep.json`. */
export const sweep = {
	startedAt: z.iso.datetime().describe("when the sweep was begun, in UTC (ISO 8601)"),
	finishedAt: z.iso.datetime().nullable().describe("when its last trial ended; null before"),
	settings: z.record(z.string(), z.unknown()).describe("settings of all trials, as in `config.json`"),
	varied: z
		.record(z.string(), z.array(z.unknown()).min(1).readonly())
		.describe("settings of which each value is tried, with these values; each combination is a setting of the ranking"),
	seeds: z.array(count).min(1).describe("seeds with which each setting is tried"),
	samples: count.nullable().describe("how many of the combinations are tried, chosen at random; null: all"),
	halving: z
		.strictObject({
			factor: count.describe("`--halving`"),
			rungs: z
				.array(
					z.strictObject({
						epochs: count.describe("epochs up to which the settings of this rung are trained"),
						settings: count.describe("how many settings reach it"),
					}),
				)
				.describe("comparisons, the first one with all settings; the last rung is the end of training"),
		})
		.nullable()
		.describe("successive halving; null: each trial is trained to its end"),
	experiments: z
		.enum(["book"])
		.nullable()
		.describe("book: with `--preset book-experiments`, the settings of the book's table are tried; otherwise null"),
	folds: count.nullable().describe("parts of the texts that are each the test set of one run; null without `--folds`"),
	texts: z
		.string()
		.nullable()
		.describe(
			"SHA-256 of the texts and labels that all trials read; null before the first trial has ended, or if it is a setting how they are read",
		),
	metric,
	trials: z.array(trialSchema).describe("the runs, in the order in which they are made"),
	ranking: z
		.array(
			z.strictObject({
				values,
				trials: count.describe("trials with these values that have a score"),
				epochs: count.optional().describe("with `halving`: epochs after which the setting was compared last"),
				validation: spread.describe("score `metric` on the validation set"),
				seconds: z.number().min(0).describe("mean time of a run"),
			}),
		)
		.describe(
			"settings with a score, the best one on validation first; with `halving`, those that reached a later rung first",
		),
	best: z
		.strictObject({
			folder: z.string().describe("folder of its run with the best validation score, inside the folder of the sweep"),
			test: z
				.strictObject({ accuracy: spread, macroF1: spread, loss: spread })
				.describe("scores on the test set, over the finished trials with these values"),
		})
		.nullable()
		.describe(
			"test scores of the first setting of the ranking only: settings chosen by their test scores would look better than they are. Null before the last trial has ended",
		),
};

/** Schema of sweep.json. */
export const sweepSchema = z.strictObject(sweep);

/** State and result of a sweep. */
export type SweepState = z.infer<typeof sweepSchema>;

/** Fields of the event `trial`. */
export const trialEvent = {
	number: count.describe("number of the trial, from 1"),
	trials: count.describe("trials of the sweep"),
	folder: z.string().describe("folder of the run"),
	values,
	seed: count.describe("`--seed` of the run"),
	fold: z.string().optional().describe("`--fold` of the run, with `--folds`"),
	state: z
		.enum(["begun", "resumed", "paused", "finished", "failed"])
		.describe(
			"begun, resumed: events with its number in `trial` are those of its run, and several may run at once; paused: trained up to a rung of `halving`; finished: also if it was finished by an earlier process",
		),
	epochs: count.optional().describe("epochs up to which a paused run was trained"),
	score: z.number().nullable().describe("the score `metric` on the validation set; null without a result"),
	metric,
	seconds: z.number().min(0).nullable().describe("how long the run took; null without a result"),
	secondsLeft: z
		.number()
		.min(0)
		.nullable()
		.describe(
			"estimated time for the trials that are left, from those of the same setting, or from all; null before the first result",
		),
	error: z.string().optional().describe("why the trial failed"),
};
