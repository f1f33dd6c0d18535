import { z } from "zod";
import { auditTotalsSchema } from "./audit.ts";

const share = z.number().min(0).max(1);
const loss = z.number().min(0);
const count = z.int().min(0);
const seconds = z.number().min(0);
const score = z.strictObject({ loss, accuracy: share });

/** Schema of a line of metrics.jsonl. */
export const metricsLineSchema = z.strictObject({
	/** step: a few batches of each set, in mid-epoch; epoch: the evaluation that ends an epoch. */
	kind: z.enum(["step", "epoch"]),
	/** Optimizer steps done, epochs finished (the one under way counts from 0 finished), training texts learned from. */
	step: count,
	epoch: count,
	examplesSeen: count,
	/** Seconds since training began, over all parts of a resumed run. */
	seconds,
	train: score,
	validation: score,
});

/** One evaluation during training. Losses are mean cross-entropy in nats a text. */
export type MetricsLine = z.infer<typeof metricsLineSchema>;

const ofEverySet = <T extends z.ZodType>(of: T) => z.strictObject({ train: of, validation: of, test: of });

const classTextsSchema = z.strictObject({
	label: z.string(),
	/** In all files together. */
	read: count,
	/** In each set, after balancing. */
	train: count,
	validation: count,
	test: count,
	/** Left out by --balance. */
	unused: count,
});

/** What became of a class's texts. */
export type ClassTexts = z.infer<typeof classTextsSchema>;

/** Schema of result.json. */
export const runResultSchema = z.strictObject({
	finishedAt: z.iso.datetime(),
	/** Of the kept weights, over whole sets. */
	accuracy: ofEverySet(share),
	loss: ofEverySet(loss),
	/** Names of the classes; their order is that of the model's outputs and of all below. */
	labels: z.array(z.string()).min(2),
	/** Test texts by true class (row) and predicted class (column). */
	confusion: z.array(z.array(count)),
	/** On the test set; null is 0 / 0, see coordinator/metrics/classification.ts. */
	perClass: z.array(
		z.strictObject({
			label: z.string(),
			precision: share.nullable(),
			recall: share.nullable(),
			f1: share.nullable(),
			support: count,
		}),
	),
	/** Accuracy on the test set of always answering its most frequent label. */
	majorityBaseline: z.strictObject({ label: z.string(), accuracy: share }),
	/** Test texts that also occur, letter for letter, in the training set. */
	testTextsAlsoInTraining: count,
	/** Texts by set, and the different ones among all of them. */
	texts: z.strictObject({ train: count, validation: count, test: count, distinct: count }),
	/** Class by class, in the order of the labels: what was read, where it went, and how many texts were not used. */
	classes: z.array(classTextsSchema),
	/** Texts of each set that were longer than the limit, and so cut. */
	cut: ofEverySet(count),
	/** What the frozen trunk was run on: every distinct text once, and again after a resume. */
	trunk: z.strictObject({ texts: count, tokens: count }),
	/** What the steps were made of: checked against the plan, each part counted once. See audit.jsonl. */
	audit: auditTotalsSchema,
	/** Wall clock by phase, over all parts of a resumed run. */
	seconds: z.strictObject({ load: seconds, features: seconds, training: seconds, evaluation: seconds, total: seconds }),
	/** Texts learned from a second of training. */
	textsPerSecond: z.number().min(0),
	/** Median milliseconds of an optimizer step. */
	stepMs: z.number().min(0),
	/** Messages refused, by reason: those of proto/tailtune/v1/refusal.proto, NATS_MESSAGE (none of ours) and ANSWER (of another shape). */
	refused: z.record(z.string(), count),
	/** Largest resident memory of this process. */
	peakRssBytes: count,
	/** As in "onnx cpu" and "tfjs wasm". */
	engine: z.strictObject({ trunk: z.string(), tail: z.string(), device: z.string(), threads: count }),
	/** Which weights `model/` holds: those after this epoch. */
	kept: z.strictObject({ epoch: count, step: count, reason: z.enum(["best", "last"]) }),
	/** early: validation got no better for `patience` epochs. */
	stopped: z.enum(["finished", "early"]),
	/** What was typed after `tailtune`, word by word. */
	commandLine: z.array(z.string()),
	/** By name, as in { tailtune, node, "onnxruntime-node" }. */
	versions: z.record(z.string(), z.string()),
});

/** What a finished run reached, and at what cost. */
export type RunResult = z.infer<typeof runResultSchema>;
