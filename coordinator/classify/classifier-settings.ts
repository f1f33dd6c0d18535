import { dirname, join } from "node:path";
import { z } from "zod";
import { checkValue } from "../../shared/check-value.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { parseJsonText } from "../../shared/files/json-file.ts";
import { MOST_JSON_BYTES, readRegularFile } from "../../shared/files/regular-file.ts";
import { TRUNK_PRECISIONS } from "../../shared/model/trunk-precision.ts";
import { LONG_TEXTS, SPECIAL_TOKENS, type TrainConfig } from "../../shared/settings/config.ts";
import type { TextReading } from "../../shared/worker-port/onnx-classifier.ts";
import type { TokenLimit } from "../data/limit-tokens.ts";
import { withThresholds } from "./with-thresholds.ts";

const probability = z.number().min(0).max(1);

const settingsSchema = z.strictObject({
	format: z.literal(1),
	/** In the order of the logits. */
	labels: z.array(z.string()).min(2),
	token: z.enum(["last-real", "last", "first", "mean", "mean-real"]),
	causal: z.boolean(),
	/** Maximum number of tokens of a text. */
	maxTokens: z.int().min(1),
	/** How longer texts are read, as in the run. */
	long: z.enum(LONG_TEXTS).default("refuse"),
	/** Length to which texts are padded, in tokens; null: that of the longest text of the batch, if padding matters. */
	padTo: z.int().min(1).nullable(),
	padId: z.int(),
	/** Whether a text has any number of labels. */
	multiLabel: z.boolean().default(false),
	/** SHA-256 of the tokenizer with which the run was trained; its files are next to this one. */
	tokenizer: z.string(),
	/** How names of special tokens in texts are read. */
	specialTokens: z.enum(SPECIAL_TOKENS).default("text"),
	/**
	 * The temperature of the calibration. The head is already divided by it: the softmax of the model's logits gives
	 * calibrated probabilities, also in other programs. Not used with several labels.
	 */
	foldedTemperature: z.number().positive().default(1),
	/** Probability from which on each label is predicted, in the order of the labels; see `LabelRule`. */
	thresholds: z.array(probability.nullable()).default([]),
	/** For each label, the threshold with the best F1 on the validation set. */
	bestThresholds: z.array(probability).default([]),
	/** A text gets no label if no label without a threshold has this probability. Not used with several labels. */
	abstain: probability.default(0),
	/** Precision with which the run computed its features. */
	trunkPrecision: z.enum(TRUNK_PRECISIONS).default("fp32"),
	/** The layers that the run computed after the features. */
	tail: z.enum(["head", "last-block", "last-two-blocks"]).default("last-block"),
});

/** How texts must be prepared for a tuned model: settings that a Hugging Face configuration can't express. */
export type ClassifierSettings = z.infer<typeof settingsSchema>;

/** File with these settings, next to the model's `config.json`. */
export const SETTINGS_FILE = "tailtune.json";

/** Returns how a tuned model reads a text. */
export function readingOf({ token, causal, padTo, padId, maxTokens, long }: ClassifierSettings): TextReading {
	return { token, causal, padTo: padTo ?? undefined, padId, maxTokens, long };
}

/**
 * Returns the limit of a text's tokens for a tuned model.
 * @param asked `--max-tokens` and `--long`; unset: as in the run. "context" is the model's maximum.
 * @throws TailtuneError "usage" if it is more than the model's maximum
 */
export function classifierLimit(
	settings: Pick<ClassifierSettings, "maxTokens" | "long">,
	{ maxTokens: asked, long = settings.long }: Pick<TrainConfig, "maxTokens" | "long"> = {},
): TokenLimit {
	const { maxTokens } = settings;
	if (typeof asked === "number" && asked > maxTokens) {
		const expected = `expected at most ${maxTokens}, the limit of this model`;
		throw new TailtuneError("usage", `--max-tokens: found ${asked}, ${expected}`);
	}
	if (asked === undefined || asked === "context" || asked === maxTokens)
		return { tokens: maxTokens, long, reason: "the limit of this model" };
	return { tokens: asked, long, reason: `--max-tokens ${asked}` };
}

/**
 * Returns the settings with `--abstain` and `--threshold`, if they are given.
 * @throws TailtuneError "usage" if texts have several labels and `--abstain` is given, or as `withThresholds`
 */
export function withLabelFlags(
	settings: ClassifierSettings,
	{ abstain = settings.abstain, threshold }: Pick<TrainConfig, "abstain" | "threshold">,
): ClassifierSettings {
	if (abstain > 0 && settings.multiLabel) throw abstainsAnyway();
	const { labels, thresholds, bestThresholds } = settings;
	return { ...settings, abstain, thresholds: withThresholds(thresholds, threshold, labels, bestThresholds) };
}

/** Creates the error of `--abstain` if texts have several labels. */
export function abstainsAnyway(): TailtuneError {
	const reason = "a model of --multi-label gives no label to a text whose probabilities are below all thresholds";
	return new TailtuneError("usage", `--abstain: expected one label per text: ${reason}`);
}

/**
 * Reads the settings of a model folder.
 * @throws TailtuneError "not-found" or "model" that names the file
 */
export async function readClassifierSettings(modelFolder: string): Promise<ClassifierSettings> {
	const file = join(modelFolder, SETTINGS_FILE);
	const bytes = await readRegularFile(file, MOST_JSON_BYTES, "model").catch((cause: TailtuneError) => {
		if (cause.code !== "not-found") throw cause;
		const message = `${dirname(modelFolder)}: no finished run here (${file} doesn't exist)`;
		throw new TailtuneError("not-found", message, { cause });
	});
	return checkValue(settingsSchema, parseJsonText(bytes.toString("utf8"), file, "model"), file, "model");
}
