import { z } from "zod";
import { auditTotalsSchema } from "./audit.ts";

const share = z.number().min(0).max(1);
const loss = z.number().min(0);
const count = z.int().min(0);
const seconds = z.number().min(0);
const score = z.strictObject({
	loss: loss.describe("mean cross-entropy per text, in nats"),
	accuracy: share.describe("share of the texts that got their own label"),
});

/** Schema of a line of metrics.jsonl. */
export const metricsLineSchema = z.strictObject({
	kind: z
		.enum(["step", "epoch"])
		.describe("step: evaluated on a few batches of each set; epoch: at the end of an epoch"),
	step: count.describe("optimizer steps done"),
	epoch: count.describe("epochs finished"),
	examplesSeen: count.describe("training texts learned from, each counted once per epoch, and once for each repeat"),
	seconds: seconds.describe("since the run began, without the time between an interruption and its resume"),
	train: score.describe("on the training set"),
	validation: score.describe("on the validation set"),
});

/** One evaluation during training. */
export type MetricsLine = z.infer<typeof metricsLineSchema>;

const ofEverySet = <T extends z.ZodType>(of: T) => z.strictObject({ train: of, validation: of, test: of });

/** Schema of the number of texts of each set that were cut. */
export const cutSchema = ofEverySet(count).describe("texts of each set that were longer than the limit and were cut");

/** Schema of the counts of one class. */
export const classTextsSchema = z.strictObject({
	label: z.string().describe("name of the class"),
	read: count.describe("texts in all files"),
	train: count.describe("texts in the training set, after balancing, without repeats"),
	validation: count.describe("texts in the validation set"),
	test: count.describe("texts in the test set"),
	unused: count.describe("texts left out by `--balance`"),
	repeats: count.describe("how often texts of the training set are repeated in an epoch (`--balance oversample`)"),
});

/** Number of texts of a class that were read, and that are in each set. */
export type ClassTexts = z.infer<typeof classTextsSchema>;

/** Fields of the scores of one class; null is 0 / 0. */
export const classScoreFields = {
	precision: share
		.nullable()
		.describe("share of the texts predicted as this class that belong to it; null if there are none"),
	recall: share
		.nullable()
		.describe("share of the texts of this class that were predicted as it; null if there are none"),
	f1: share.nullable().describe("harmonic mean of precision and recall; null if both are"),
	support: count.describe("texts of this class"),
};

/** Schema of the accuracy of always predicting the same label. */
export const majorityBaselineSchema = z.strictObject({
	label: z.string().describe("the most frequent label of these texts"),
	accuracy: share.describe("accuracy of always predicting it"),
});

/** Schema of result.json. */
export const runResultSchema = z.strictObject({
	finishedAt: z.iso.datetime().describe("when the run finished, in UTC (ISO 8601)"),
	accuracy: ofEverySet(share).describe("accuracy of the weights in `model/` on each whole set"),
	loss: ofEverySet(loss).describe("mean cross-entropy per text of these weights, in nats"),
	labels: z.array(z.string()).min(2).describe("names of the classes, in the order of the model's outputs"),
	confusion: z
		.array(z.array(count))
		.describe("test texts by true class (row) and predicted class (column), in the order of `labels`"),
	perClass: z
		.array(z.strictObject({ label: z.string().describe("name of the class"), ...classScoreFields }))
		.describe("scores of each class on the test set, in the order of `labels`"),
	majorityBaseline: majorityBaselineSchema.describe("what always predicting one label reaches on the test set"),
	testTextsAlsoInTraining: count.describe("test texts that are also in the training set, character by character"),
	texts: z
		.strictObject({
			train: count.describe("texts in the training set"),
			validation: count.describe("texts in the validation set"),
			test: count.describe("texts in the test set"),
			distinct: count.describe("different texts in all sets together"),
		})
		.describe("number of texts in each set"),
	classes: z.array(classTextsSchema).describe("texts of each class, in the order of `labels`"),
	cut: cutSchema,
	trunk: z
		.strictObject({ texts: count, tokens: count })
		.describe(
			"texts and tokens that the frozen blocks were run on: each different text once, and again after a resume",
		),
	audit: auditTotalsSchema.describe(
		"what the optimizer steps used, checked against the plan; details are in `audit.jsonl`",
	),
	seconds: z
		.strictObject({ load: seconds, features: seconds, training: seconds, evaluation: seconds, total: seconds })
		.describe("seconds that each phase took, including the time before a resume"),
	textsPerSecond: z.number().min(0).describe("training texts per second of training"),
	stepMs: z.number().min(0).describe("median time of an optimizer step, in milliseconds"),
	refused: z
		.record(z.string(), count)
		.describe(
			"messages refused, by reason: a reason of `proto/tailtune/v1/refusal.proto` or `NATS_MESSAGE` (not one of Tailtune's messages)",
		),
	peakRssBytes: count.describe("largest resident memory of the coordinator's process, in bytes"),
	engine: z
		.strictObject({
			trunk: z.string().describe('engines of the frozen blocks, as in "onnx cpu"'),
			tail: z.string().describe('engines of the trained part, as in "tfjs wasm"'),
			device: z.string().describe("devices that they used"),
			threads: count.describe("threads of all workers together"),
		})
		.describe("what computed the run"),
	kept: z
		.strictObject({
			epoch: count.describe("epochs finished by then"),
			step: count.describe("optimizer steps done by then"),
			reason: z.enum(["best", "last"]).describe("best: the best epoch on validation; last: the last epoch"),
		})
		.describe("the epoch and the step after which the weights in `model/` were saved"),
	stopped: z
		.enum(["finished", "early"])
		.describe("early: validation did not improve for as many epochs as `--patience` allows"),
	commandLine: z.array(z.string()).describe("the arguments of `tailtune`"),
	versions: z.record(z.string(), z.string()).describe("version of each package that affects the results, by its name"),
});

/** Quality and cost of a finished run. */
export type RunResult = z.infer<typeof runResultSchema>;
