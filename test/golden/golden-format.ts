import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { TailtuneError } from "../../shared/errors.ts";

const differences = z.object({
	logits_abs: z.number(),
	logits_rel: z.number(),
	loss_abs: z.number(),
	grad_rel: z.number(),
});

const schedule = z.enum(["constant", "linear", "cosine"]);

const columns = z.tuple([z.int(), z.int()]);

const caseSchema = z.object({
	name: z.string(),
	position: z.enum(["last-real", "last", "first", "mean", "mean-real"]),
	causal: z.boolean(),
	trainable: z.enum(["head", "last_block", "last_two_blocks", "all", "lora", "lora-only"]),
	pad_to: z.int(),
	classes: z.int(),
	lora: z.object({ rank: z.int(), scale: z.number() }).optional(),
	criterion: z
		.object({ multi_label: z.boolean(), label_smoothing: z.number(), class_weights: z.array(z.number()) })
		.optional(),
	optimizer: z
		.object({ schedule, warmup: z.int(), clip: z.number(), decay: z.enum(["all", "matrices"]) })
		.default({ schedule: "constant", warmup: 0, clip: Number.POSITIVE_INFINITY, decay: "all" }),
	/** Norm of the whole gradient in each step, before it is clipped; empty in cases without `optimizer`. */
	norms: z.array(z.number()).default([]),
	file: z.string(),
	head: z.string(),
	stride: z.int().min(1),
	losses: z.array(z.number()),
	accuracies: z.array(z.number()),
	trainable_parameters: z.array(z.string()),
	noise_columns: z.record(z.string(), columns),
	/** Differences from float64, and from float32 with shaken weights. */
	float64: differences,
	shaken: differences,
});

const splitSchema = z.object({
	case: z.string(),
	prefix: z.string().nullable(),
	rows: z.array(z.array(z.int())),
	weights: z.array(z.number()),
	losses: z.array(z.number()),
	weighted_loss: z.number(),
});

const setSchema = z.object({
	pad_id: z.int(),
	thin_from: z.int(),
	adamw: z.object({ lr: z.number(), weight_decay: z.number(), steps: z.int() }),
	schedules: z.array(z.object({ schedule, warmup: z.int(), steps: z.int(), factors: z.array(z.number()) })).min(1),
	inputs: z.object({
		sequences: z.array(z.array(z.int()).min(1)).min(1),
		labels: z.record(z.string(), z.array(z.int())),
		/** For cases with several labels per text. */
		label_sets: z.array(z.array(z.int())),
	}),
	features: z.object({ file: z.string(), tensor: z.string(), case: z.string(), enters_block: z.int() }),
	cases: z.array(caseSchema).min(1),
	data_parallel: z.object({ file: z.string(), stride: z.int().min(1), splits: z.array(splitSchema) }),
});

/** `cases.json` of a folder in the golden format; the folder's README.md explains each field. */
export type GoldenSet = z.infer<typeof setSchema>;
export type GoldenCase = z.infer<typeof caseSchema>;
export type GoldenSplit = z.infer<typeof splitSchema>;
/** A range [from, to) in a tensor's last dimension. */
export type Columns = z.infer<typeof columns>;

/** Reads a golden set. @throws TailtuneError "data" if the folder contains none */
export async function readGoldenSet(folder: string): Promise<GoldenSet> {
	const file = join(folder, "cases.json");
	try {
		return setSchema.parse(JSON.parse(await readFile(file, "utf8")));
	} catch (cause) {
		const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
		throw new TailtuneError("data", `${file}: ${reason.replaceAll(/\s+/g, " ")}`, { cause });
	}
}
