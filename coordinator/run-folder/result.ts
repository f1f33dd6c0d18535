import { z } from "zod";
import { trainConfigSchema } from "../../shared/settings/config.ts";
import { auditTotalsSchema } from "./audit.ts";

const share = z.number().min(0).max(1);
const loss = z.number().min(0);
const count = z.int().min(0);
const seconds = z.number().min(0);
const coefficient = z.number().min(-1).max(1).nullable();
const intervalOf = <T extends z.ZodType>(of: T) => z.tuple([of, of]).nullable();
const shareInterval = intervalOf(share);

const BALANCED_ACCURACY = "mean recall of the classes that have texts";
const MACRO_F1 = "mean F1 of the classes that have texts or are predicted";
const MCC = "Matthews' correlation coefficient, from -1 to 1; null if all texts or all predictions are of one class";

/** Fields of the scores of a whole set. */
export const scoreFields = {
	loss: loss.describe("mean cross-entropy per text, in nats"),
	accuracy: share.describe("share of the texts that got their own label"),
	balancedAccuracy: share.describe(BALANCED_ACCURACY),
	macroF1: share.describe(MACRO_F1),
	mcc: coefficient.describe(MCC),
	microF1: share
		.optional()
		.describe("F1 of all pairs of a text and a label together; only if the run had `--multi-label`"),
};

const score = z.strictObject(scoreFields);

/** Schema of the confidence intervals of the scores of a whole set. */
export const intervalsSchema = z
	.strictObject({
		accuracy: shareInterval.describe("Wilson's interval"),
		balancedAccuracy: shareInterval.describe("bootstrap"),
		macroF1: shareInterval.describe("bootstrap"),
		mcc: intervalOf(z.number().min(-1).max(1)).describe("bootstrap; null if `mcc` is"),
		microF1: shareInterval.optional().describe("bootstrap; only if the run had `--multi-label`"),
	})
	.describe(
		"95 % confidence intervals: lower and upper bound for similar texts, given the number of texts; bootstrap intervals are null if there are more than 50,000 different pairs of labels and predicted labels",
	);

/** Schema of a line of metrics.jsonl. */
export const metricsLineSchema = z.strictObject({
	kind: z
		.enum(["step", "epoch"])
		.describe("step: evaluated on a few batches of each set; epoch: at the end of an epoch"),
	step: count.describe("optimizer steps done"),
	epoch: count.describe("epochs finished"),
	examplesSeen: count.describe(
		"training texts learned from, each counted once per epoch, and once for each repeat; a text in windows counts as one",
	),
	seconds: seconds.describe("since the run began, without the time between an interruption and its resume"),
	learningRate: z.number().min(0).describe("learning rate of the last step; before the first step, of that one"),
	train: score.describe("on the training set"),
	validation: score.describe("on the validation set"),
});

/** One evaluation during training. */
export type MetricsLine = z.infer<typeof metricsLineSchema>;

const ofEverySet = <T extends z.ZodType>(of: T) => z.strictObject({ train: of, validation: of, test: of });

/** Schema of the number of texts of each set that were cut. */
export const cutSchema = ofEverySet(count).describe("texts of each set that were longer than the limit and were cut");

/** Schema of the number of windows of each set. */
export const windowsSchema = ofEverySet(count).describe(
	"windows of each set's texts; a text within the limit, or without `--long windows`, counts as one",
);

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
	averagePrecision: share
		.nullable()
		.describe(
			"mean precision over the thresholds of the class's probability at which more of its texts are found; null if it has none",
		),
	rocAuc: share
		.nullable()
		.describe(
			"chance that a text of this class has a higher probability of it than a text of another class; null if either is missing",
		),
	precisionInterval: shareInterval.describe("95 % confidence interval of precision (Wilson); null if precision is"),
	recallInterval: shareInterval.describe("95 % confidence interval of recall (Wilson); null if recall is"),
	f1Interval: shareInterval.describe("95 % confidence interval of F1 (bootstrap); null if F1 is"),
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
	balancedAccuracy: ofEverySet(share).describe(BALANCED_ACCURACY),
	macroF1: ofEverySet(share).describe(MACRO_F1),
	mcc: ofEverySet(coefficient).describe(MCC),
	intervals: intervalsSchema,
	labels: z.array(z.string()).min(2).describe("names of the classes, in the order of the model's outputs"),
	tokenizer: z.string().describe("SHA-256 of the tokenizer: of everything that affects the tokens of a text"),
	confusion: z
		.array(z.array(count))
		.describe("test texts by true class (row) and predicted class (column), in the order of `labels`"),
	perClass: z
		.array(z.strictObject({ label: z.string().describe("name of the class"), ...classScoreFields }))
		.describe("scores of each class on the test set, in the order of `labels`"),
	majorityBaseline: majorityBaselineSchema.describe("what always predicting one label reaches on the test set"),
	wordBaseline: z
		.strictObject({ ...scoreFields, words: count.describe("different words of the training texts that it uses") })
		.nullable()
		.describe(
			"scores on the test set of a logistic regression on the words of the same training texts (TF-IDF); null if that would have taken too long, or with `--multi-label`",
		),
	thresholds: z
		.array(share.nullable())
		.describe(
			"probability from which on each label is predicted, in the order of `labels` (`--threshold`); null: none. All scores use them; without a label that reaches its threshold, the most probable one counts",
		),
	bestThresholds: z
		.array(share)
		.describe(
			"for each label, the threshold with the best F1 on validation against all other labels: `--threshold LABEL=best`",
		),
	multiLabel: z
		.strictObject({
			microF1: ofEverySet(share).describe("F1 of all pairs of a text and a label together"),
		})
		.optional()
		.describe(
			"only with `--multi-label`. Accuracy is then the share of texts with exactly their labels; `mcc` is null, and `confusion` is empty",
		),
	calibration: z
		.strictObject({
			temperature: z
				.number()
				.positive()
				.describe(
					"divides the logits before the softmax; fitted on the validation set (1 if it has no wrong prediction)",
				),
			errorBefore: share.describe("expected calibration error of 15 bins on the test set at temperature 1"),
			error: share.describe("the same with the temperature"),
			bins: z
				.array(z.strictObject({ texts: count, confidence: share.nullable(), accuracy: share.nullable() }))
				.describe(
					"test texts whose largest probability, with the temperature, is in each fifteenth of 0 to 1; their mean probability and the share predicted right",
				),
		})
		.optional()
		.describe(
			"how well probabilities agree with how often predictions are right; `loss` doesn't use the temperature, but the head in `model/` and in exports is divided by it. Not with `--multi-label`: probabilities of several labels are not calibrated",
		),
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
	data: z
		.strictObject({
			files: z
				.array(
					z.strictObject({
						file: z.string().describe("path of the file or folder, or name of the data set"),
						format: z.string().describe("format, separator, encoding and packing, for people"),
						texts: count.describe("texts in it"),
					}),
				)
				.describe("the files that were read"),
			equal: count.describe("texts that equal another one, by `--dedupe`"),
			tokens: z
				.strictObject({
					median: count.describe("median"),
					p95: count.describe("the length that 95 of 100 texts don't exceed"),
					longest: count.describe("longest text"),
					limit: count.describe("the limit"),
				})
				.describe("tokens that are read of a text"),
		})
		.describe("the texts as they were read"),
	cut: cutSchema,
	windows: windowsSchema,
	trunk: z
		.strictObject({ texts: count, tokens: count })
		.describe(
			"texts (or windows of long texts) and tokens that the frozen blocks were run on: each different one once, and again after a resume",
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
			"messages refused, by reason: a reason of `proto/tailtune/v1/refusal.proto`, `NATS_MESSAGE` (not one of Tailtune's messages) or `UPDATE_PART` (a published part of an update that a worker found wrong, and whose update it read again)",
		),
	traffic: z
		.strictObject({
			sent: count.describe("bytes sent"),
			received: count.describe("bytes received"),
		})
		.optional()
		.describe(
			"bytes between the coordinator and its workers over gRPC and NATS, since the last resume; only with workers outside its process",
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
			metric: trainConfigSchema.shape.metric.unwrap().describe("the validation score by which epochs were compared"),
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
