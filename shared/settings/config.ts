import { z } from "zod";
import { TRAINABLE_BY_NAME, type TrainableName } from "../model/tail-spec.ts";
import { TRUNK_PRECISIONS } from "../model/trunk-precision.ts";

const text = () => z.string().min(1);
const count = (least: number) => z.int().min(least);
const trainableNames = Object.keys(TRAINABLE_BY_NAME) as [TrainableName, ...TrainableName[]];

/**
 * Every setting of a run. One schema makes the flags (`--eval-every` from evalEvery), checks `--config file.yaml` and
 * is saved as the run's `config.json`. Unknown keys are refused.
 */
export const trainConfigSchema = z.strictObject({
	preset: z
		.enum(["book"])
		.optional()
		.describe("book: the chapter to the letter (balance before the split, longest padding, last position, last epoch)"),

	data: text()
		.optional()
		.describe("file (.tsv .csv .jsonl), folder with a folder per label, sms-spam or spam-assassin"),
	train: text().optional().describe("training file, with --validation and --test instead of --data"),
	validation: text().optional().describe("validation file"),
	test: text().optional().describe("test file"),
	textColumn: text().default("text").describe("column or field that holds the text"),
	labelColumn: text().default("label").describe("column or field that holds the label"),
	balance: z
		.union([z.boolean(), z.literal("all")])
		.default(true)
		.describe(
			"undersample each class to the smallest: true: in training; all: before a split at random; false: nowhere",
		),
	split: z
		.tuple([z.number().positive(), z.number().positive(), z.number().positive()])
		.refine((parts) => Math.abs(parts[0] + parts[1] + parts[2] - 1) < 1e-9, "expected three fractions that add up to 1")
		.default([0.7, 0.1, 0.2])
		.describe("fractions for train,validation,test: of each class"),
	seed: count(0).default(123).describe("seed of balance, split, head and batch order"),

	model: text().default("openai-community/gpt2").describe("hub id, folder, demo, or random:small|medium|large|xl"),
	maxTokens: z
		.union([count(1), z.literal("context")])
		.optional()
		.describe("cut texts to N tokens, or to the model's context; without it a longer text is refused"),
	pad: z
		.union([z.enum(["bucket", "longest"]), count(1)])
		.default("bucket")
		.describe(
			"bucket: batches of similar length, each padded to its longest; longest: of the training set; or N tokens",
		),
	token: z
		.enum(["last-real", "last", "first", "mean", "mean-real"])
		.default("last-real")
		.describe("what the head reads"),
	causal: z.boolean().default(true).describe("causal attention; false lets every token see all others"),
	trainable: z.enum(trainableNames).default("last-block").describe("what is tuned"),
	loraRank: count(1).default(8).describe("rank of the LoRA pairs"),
	loraAlpha: z.number().positive().default(8).describe("LoRA factor: alpha for lora, alpha / rank for lora-only"),

	epochs: count(1).default(5).describe("passes over the training set"),
	batch: count(1).default(8).describe("texts a micro-batch, over all shards"),
	accumulate: count(1).default(1).describe("micro-batches a step"),
	shards: count(1)
		.optional()
		.describe(
			"logical shards: they, not the workers, decide the result; default: the workers at the start, at most --batch",
		),
	localSteps: count(1)
		.default(1)
		.describe("steps that each shard takes by itself before the mean of their changes is taken over"),
	outerLr: z.number().positive().default(1).describe("of the mean change, with --local-steps; 1: plain average"),
	outerMomentum: z.number().min(0).lt(1).default(0).describe("Nesterov momentum of that; 0: none"),
	wire: z
		.enum(["f32", "bf16"])
		.default("f32")
		.describe("numbers that parameters and gradients travel in; bf16: half the bytes, rounded wherever it runs"),
	lr: z.number().positive().default(5e-5).describe("learning rate"),
	weightDecay: z.number().min(0).default(0.1).describe("AdamW weight decay"),
	evalEvery: count(1).default(50).describe("steps between looks at the loss"),
	evalBatches: count(1).default(5).describe("batches of each set at such a look"),
	epochEval: z
		.enum(["full", "batches"])
		.default("full")
		.describe("accuracy after an epoch: whole sets, or those batches"),
	patience: count(0).default(0).describe("stop after so many epochs that are no better on validation; 0: never"),
	keep: z.enum(["best", "last"]).default("best").describe("weights of the best epoch on validation, or of the last"),
	checkpointEvery: count(1)
		.default(500)
		.describe("steps between checkpoints; also after an epoch, where that takes at most a twentieth of the time"),

	engine: z.enum(["auto", "onnx", "tfjs"]).default("auto").describe("library that computes"),
	backend: z
		.enum(["auto", "wasm", "cpu", "webgpu", "tensorflow", "cuda", "dml", "coreml"])
		.default("auto")
		.describe("backend of tfjs; or of onnx, which else takes the processor: cuda, dml, coreml"),
	threads: count(1).optional().describe("compute threads; default: the physical cores"),
	trunkPrecision: z
		.enum(TRUNK_PRECISIONS)
		.optional()
		.describe("fp32 or int8 matrix products in the frozen blocks; default: fp32, or what the model was tuned with"),
	featureMemory: z
		.union([count(0), z.stringFormat("size", /^\d+(\.\d+)?\s*(KiB|MiB|GiB)$/i)])
		.optional()
		.describe("bytes (or as in 2GiB) of features kept in memory; the rest goes to a file; default: a quarter of RAM"),
	featureCache: z
		.union([count(0), z.stringFormat("size", /^\d+(\.\d+)?\s*(KiB|MiB|GiB)$/i)])
		.optional()
		.describe("bytes of features kept on disk between runs, in the user's cache folder; default: 2GiB; 0: none"),
	out: text().optional().describe("result folder; default: runs/DATE-TIME"),
});

export type TrainConfig = z.infer<typeof trainConfigSchema>;

/** The settings of a run that began: the number of its shards is fixed. */
export type RunConfig = TrainConfig & { readonly shards: number };

/** What `--preset` sets unless said otherwise. */
export const PRESETS = {
	book: { balance: "all", pad: "longest", token: "last", epochEval: "batches", keep: "last" },
} as const satisfies Record<NonNullable<TrainConfig["preset"]>, Partial<TrainConfig>>;
