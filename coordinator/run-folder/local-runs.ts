import { z } from "zod";
import { trainConfigSchema } from "../../shared/settings/config.ts";

const localRunSchema = z.strictObject({
	folder: z.string().describe("folder of the run, inside the listed one"),
	name: z.string().optional().describe("`--name` of the run"),
	startedAt: z.iso.datetime().describe("when the run was started, in UTC (ISO 8601)"),
	model: z.string().nullable().describe("`--model`; null if unknown"),
	data: z.string().nullable().describe("`--data` or `--train`; null if unknown"),
	state: z
		.enum(["running", "finished", "interrupted", "damaged"])
		.describe(
			"running: a process uses the folder; interrupted: `train --resume` continues the run; damaged: its files can't be read",
		),
	problem: z.string().optional().describe("why the files can't be read"),
	metric: trainConfigSchema.shape.metric
		.unwrap()
		.nullable()
		.describe("the validation score by which epochs are compared; null if unknown"),
	validation: z
		.number()
		.nullable()
		.describe("score `metric` on the validation set: of the kept weights, or after the last epoch; null before"),
	epoch: z.int().min(0).nullable().describe("epochs finished; in a finished run the epoch of the kept weights"),
	seconds: z.number().min(0).nullable().describe("how long the run took, or up to its last epoch; null before"),
});

/** Fields of the event `local-runs`. */
export const localRuns = {
	folder: z.string().describe("the folder that was searched, with the folders in it"),
	runs: z.array(localRunSchema).readonly().describe("runs of the folder, the one that was started last at the end"),
};

/** A run of a folder on this machine. */
export type LocalRun = z.infer<typeof localRunSchema>;
