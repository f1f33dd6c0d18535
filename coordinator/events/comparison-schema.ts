import { z } from "zod";
import { intervalsSchema } from "../run-folder/result.ts";
import { count, share } from "./schemas.ts";

const seconds = z.number().min(0);

/** Fields of a comparison of runs. */
export const comparison = {
	settings: z
		.array(
			z.strictObject({
				name: z.string().describe("name of the setting, as in `config.json`"),
				values: z.array(z.unknown()).describe("its value in each run; null if it isn't set"),
			}),
		)
		.readonly()
		.describe("settings that differ and affect the result"),
	runs: z
		.array(
			z.strictObject({
				folder: z.string().describe("folder of the run"),
				name: z.string().optional().describe("`--name` of the run"),
				accuracy: share.describe("accuracy on its test set"),
				macroF1: share.describe("macro F1 on its test set"),
				intervals: intervalsSchema.pick({ accuracy: true, macroF1: true }).describe("95 % confidence intervals"),
				loss: z.number().min(0).describe("mean cross-entropy per test text, in nats"),
				texts: count.describe("texts in its test set"),
				seconds: seconds.describe("how long the run took"),
				stepMs: seconds.describe("median time of an optimizer step, in milliseconds"),
			}),
		)
		.readonly()
		.describe("the runs, in the order of the command"),
	pairs: z
		.array(
			z.strictObject({
				folder: z.string().describe("folder of the run that is compared with the first one"),
				shared: count.describe("texts in the test sets of both, by their source"),
				bothRight: count.describe("shared texts that both got right"),
				onlyFirst: count.describe("shared texts that only the first run got right"),
				onlySecond: count.describe("shared texts that only this run got right"),
				bothWrong: count.describe("shared texts that both got wrong"),
				pValue: share.describe("of the exact McNemar test: how likely counts at least as uneven are by chance"),
			}),
		)
		.readonly()
		.describe("each run but the first, against the first"),
};

/** A comparison of finished runs. */
export type RunComparison = z.infer<z.ZodObject<typeof comparison>>;
