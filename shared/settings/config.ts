import { z } from "zod";
import { TRAINABLE_BY_NAME, type TrainableName } from "../model/tail-spec.ts";
import { TRUNK_PRECISIONS } from "../model/trunk-precision.ts";

/** Ways to read a text of more tokens than the limit. */
export const LONG_TEXTS = ["refuse", "cut", "head-tail", "windows"] as const;
export type LongTexts = (typeof LONG_TEXTS)[number];

/** Numbers of parts for cross-validation. */
export const FEWEST_FOLDS = 3;
export const MOST_FOLDS = 100;

/** Ways to read the name of a special token in a text: as ordinary text, or as the token. */
export const SPECIAL_TOKENS = ["text", "tokens"] as const;
export type SpecialTokensInTexts = (typeof SPECIAL_TOKENS)[number];

const THREE_FRACTIONS = "expected three fractions that add up to 1";

const text = () => z.string().min(1);
const count = (least: number) => z.int().min(least);
const trainableNames = Object.keys(TRAINABLE_BY_NAME) as [TrainableName, ...TrainableName[]];

/**
 * Schema of all settings of a run. The flags (`--eval-every` from evalEvery) are made from it, and it checks
 * `--config file.yaml` and the run's `config.json`. Unknown keys are refused.
 */
export const trainConfigSchema = z.strictObject({
	preset: z
		.enum(["book"])
		.optional()
		.describe(
			"book: as chapter 6 of Build a Large Language Model (From Scratch): --balance all, --dedupe none, --pad longest, --token last, --epoch-eval batches, --keep last",
		),

	data: text()
		.optional()
		.describe(
			"labelled texts: a file (.tsv .csv .jsonl .json .parquet, also .gz), a folder with one folder per label, hub:OWNER/NAME, sms-spam or spam-assassin",
		),
	train: text()
		.optional()
		.describe(
			"training texts; use --train, --validation and --test instead of --data for texts that are already split",
		),
	validation: text().optional().describe("validation texts"),
	test: text().optional().describe("test texts"),
	textColumn: text()
		.default("text")
		.describe(
			"name of the column or field with the text; a,b: the texts of two columns with a blank line between; a.b: a field inside a field (JSON)",
		),
	labelColumn: text().default("label").describe("name of the column or field with the label"),
	encoding: z
		.enum(["auto", "latin1"])
		.default("auto")
		.describe("encoding of text files; auto: UTF-8 or UTF-16; latin1: ISO 8859-1 or Windows-1252"),
	delimiter: z
		.stringFormat("separator", /^[^"\r\n]{1,8}$/)
		.optional()
		.describe("separator of the columns: the file is read as CSV; tab: a tab; default: detected in .csv files"),
	multiLabel: z
		.boolean()
		.default(false)
		.describe(
			"texts have any number of labels, with a bar between or as a JSON list: one sigmoid per label, and --balance none or weights; false: each text has one label",
		),
	balance: z
		.enum(["undersample", "oversample", "weights", "none", "all"])
		.default("weights")
		.describe(
			"how the classes of the training set are evened out; undersample: as few texts of each as of the smallest; oversample: texts of smaller classes are repeated; weights: texts of smaller classes count more in the loss; none: all texts, each once (default with --multi-label); all: undersample all sets, before the split",
		),
	dedupe: z
		.enum(["none", "equal", "near"])
		.default("equal")
		.describe(
			"texts that stay in the same set when the data is split; equal: equal texts; near: also texts that differ only in case, numbers and white space; none: each text is assigned alone",
		),
	split: z
		.tuple([z.number().positive(), z.number().positive(), z.number().positive()], THREE_FRACTIONS)
		.refine((parts) => Math.abs(parts[0] + parts[1] + parts[2] - 1) < 1e-9, THREE_FRACTIONS)
		.default([0.7, 0.1, 0.2])
		.describe("fractions for training, validation and test; each class is split this way"),
	fold: text()
		.refine(isFold, "expected K/N, for example 2/5, with N from 3 to 100 and K from 1 to N")
		.optional()
		.describe(
			"K/N: as the K-th run of a cross-validation; the test set is part K of N, the other texts are for training and validation, in the proportions of --split; sweep --folds N makes all N runs",
		),
	seed: count(0).default(123).describe("random seed for balancing, splitting, the new head and the order of batches"),

	model: text()
		.default("openai-community/gpt2")
		.describe(
			"Hugging Face id (gpt2, owner/name or owner/name@revision), folder, demo, or random:small (also medium, large, xl)",
		),
	abstain: z
		.number()
		.min(0)
		.max(1)
		.optional()
		.describe(
			"answer no label if no label's probability reaches this, in classify and serve; default: always a label, or as in the run",
		),
	threshold: z
		.record(text(), z.union([z.number().min(0).max(1), z.literal("best")]))
		.optional()
		.describe(
			"LABEL=P: answer this label if, and only if, its probability is at least P, otherwise the most probable other one; LABEL=best: P with the best F1 on validation; repeat it for more labels; default: none (best with --multi-label), or as in the run",
		),
	maxTokens: z
		.union([count(1), z.literal("context")])
		.optional()
		.describe(
			"most tokens of a text: N, or the model's context length (context); default: context, or as in the training run",
		),
	long: z
		.enum(LONG_TEXTS)
		.optional()
		.describe(
			"way to read longer texts; refuse: not at all, they are an error; cut: the first tokens; head-tail: the first and the last half of the limit; windows: overlapping windows; all are trained, and their logits are averaged; default: refuse, or as in the training run",
		),
	specialTokens: z
		.enum(SPECIAL_TOKENS)
		.default("text")
		.describe(
			"how names of special tokens in texts are read, for example [SEP]; text: as ordinary text; tokens: as these tokens",
		),
	pad: z
		.union([z.enum(["bucket", "longest"]), count(1)])
		.default("bucket")
		.describe(
			"length to pad to; bucket: the longest text of the batch, with texts of similar length; longest: the longest training text; or N tokens",
		),
	token: z
		.enum(["last-real", "last", "first", "mean", "mean-real"])
		.default("last-real")
		.describe(
			"position that the head reads; last-real: the last token of the text; last: the last position, also if it is padding; first: the first token; mean: the mean of all positions, also of padding; mean-real: the mean of the text's own tokens",
		),
	causal: z
		.boolean()
		.default(true)
		.describe("true: a token attends to itself and earlier tokens; false: to all tokens"),
	trainable: z
		.enum(trainableNames)
		.default("last-block")
		.describe(
			"part of the model that is tuned; head: only the new head; last-block or last-two-blocks: also these blocks and the final norm; all: all parameters; lora: LoRA matrices beside every linear layer, and the head; lora-only: only the LoRA matrices",
		),
	loraRank: count(1).default(8).describe("with --trainable lora or lora-only: rank of the LoRA matrices"),
	loraAlpha: z
		.number()
		.positive()
		.default(8)
		.describe("LoRA scaling: alpha with --trainable lora, alpha/rank with lora-only"),

	epochs: count(1).default(5).describe("passes over the training set"),
	batch: count(1).default(8).describe("texts per micro-batch, all shards together"),
	accumulate: count(1).default(1).describe("micro-batches per optimizer step"),
	shards: count(1)
		.optional()
		.describe(
			"number of shards; the result depends on it, not on the number of workers; default: the number of workers at the start, at most --batch",
		),
	lr: z.number().positive().default(5e-5).describe("learning rate"),
	labelSmoothing: z
		.number()
		.min(0)
		.lt(1)
		.default(0)
		.describe(
			"share of the target probability that is distributed evenly over all classes (label smoothing), from 0 to below 1",
		),
	schedule: z
		.enum(["constant", "linear", "cosine"])
		.default("constant")
		.describe(
			"how the learning rate falls after the warm-up; constant: not at all; linear or cosine: to 0 at the last step",
		),
	warmup: z
		.number()
		.min(0)
		.refine((steps) => steps < 1 || Number.isInteger(steps), "expected a whole number of steps, or a share below 1")
		.default(0)
		.describe("first steps, in which the learning rate rises from 0; below 1: a share of all steps"),
	clip: z
		.number()
		.positive()
		.optional()
		.describe("longer gradients are scaled down to this norm, taken over all trained parameters; default: no limit"),
	weightDecay: z.number().min(0).default(0.1).describe("AdamW weight decay"),
	decay: z
		.enum(["all", "matrices"])
		.default("all")
		.describe("parameters that the weight decay acts on; matrices: not on biases and norms"),
	evalEvery: count(1).default(50).describe("evaluate every N steps, on a few batches"),
	evalBatches: count(1).default(5).describe("batches per set for these quick evaluations"),
	epochEval: z
		.enum(["full", "batches"])
		.default("full")
		.describe("evaluation after each epoch; full: all texts; batches: --eval-batches batches per set"),
	metric: z
		.enum(["accuracy", "balanced-accuracy", "macro-f1", "mcc", "loss"])
		.optional()
		.describe(
			"validation score that --keep best and --patience compare: accuracy, balanced-accuracy, macro-f1, mcc or loss; default: macro-f1 if a class of the validation set has more than twice the texts of another one, otherwise accuracy",
		),
	patience: count(0).default(0).describe("stop after N epochs without a better validation result; 0: never"),
	keep: z
		.enum(["best", "last"])
		.default("best")
		.describe("keep the weights of the best epoch on validation, or of the last epoch"),
	checkpointEvery: count(1)
		.default(500)
		.describe("save a checkpoint every N steps, and after each epoch if that takes at most 5 % of the time"),

	engine: z
		.enum(["auto", "onnx", "tfjs"])
		.default("auto")
		.describe(
			"library for the computations: onnx (ONNX Runtime), tfjs (TensorFlow.js), or auto: onnx, or tfjs if onnx can't be loaded",
		),
	backend: z
		.enum(["auto", "wasm", "cpu", "webgpu", "tensorflow", "cuda", "dml", "coreml"])
		.default("auto")
		.describe("with tfjs: auto, wasm, cpu, webgpu, tensorflow; with onnx: auto (processor), cuda, dml, coreml"),
	threads: count(1).optional().describe("number of threads; default: the number of physical cores"),
	trunkPrecision: z
		.enum(TRUNK_PRECISIONS)
		.optional()
		.describe(
			"precision of matrix products in the frozen blocks: fp32 or int8; default: fp32, or the precision of the training run",
		),
	featureMemory: z
		.union([count(0), z.stringFormat("size", /^\d+(\.\d+)?\s*(KiB|MiB|GiB)$/i)])
		.optional()
		.describe("memory for features: bytes, or for example 2GiB; the rest goes to a file; default: a quarter of RAM"),
	featureCache: z
		.union([count(0), z.stringFormat("size", /^\d+(\.\d+)?\s*(KiB|MiB|GiB)$/i)])
		.optional()
		.describe("disk space for features that later runs can reuse, in the user's cache folder; default: 2GiB; 0: none"),
	name: text()
		.max(100)
		.optional()
		.describe("name of the run, shown by runs, compare and the report, and a part of the default of --out"),
	out: text().optional().describe("result folder; default: runs/DATE-TIME, with --name runs/DATE-TIME-NAME"),
});

/** Whether a text is K/N, the K-th of N parts. */
function isFold(fold: string): boolean {
	const [, number = 0, of = 0] = (/^(\d+)\/(\d+)$/.exec(fold) ?? []).map(Number);
	return of >= FEWEST_FOLDS && of <= MOST_FOLDS && number >= 1 && number <= of;
}

export type TrainConfig = z.infer<typeof trainConfigSchema>;

/** The settings of a started run: those whose default depends on the data or the workers are known. */
export type RunConfig = TrainConfig & { readonly shards: number; readonly metric: NonNullable<TrainConfig["metric"]> };

/** The settings of each `--preset`; other flags override them. */
export const PRESETS = {
	book: { balance: "all", dedupe: "none", pad: "longest", token: "last", epochEval: "batches", keep: "last" },
} as const satisfies Record<NonNullable<TrainConfig["preset"]>, Partial<TrainConfig>>;
