import { dirname, join } from "node:path";
import { z } from "zod";
import { TailtuneError } from "../../shared/errors.ts";
import { MOST_JSON_BYTES, readRegularFile } from "../../shared/files/regular-file.ts";
import { TRUNK_PRECISIONS } from "../../shared/model/trunk-precision.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import type { TokenLimit } from "../data/limit-tokens.ts";

const settingsSchema = z.strictObject({
	format: z.literal(1),
	/** In the order of the model's outputs. */
	labels: z.array(z.string()).min(2),
	token: z.enum(["last-real", "last", "first", "mean", "mean-real"]),
	causal: z.boolean(),
	/** The most tokens that a text may have. */
	maxTokens: z.int().min(1),
	/** Whether a longer text is cut, as in the run; otherwise it is refused unless whoever asks wants it cut. */
	truncate: z.boolean().default(false),
	/** Texts are padded to so many tokens; null: to the longest of their batch, where padding matters at all. */
	padTo: z.int().min(1).nullable(),
	padId: z.int(),
	/** What the run's features were computed with, and what it computed after them. */
	trunkPrecision: z.enum(TRUNK_PRECISIONS).default("fp32"),
	tail: z.enum(["head", "last-block", "last-two-blocks"]).default("last-block"),
});

/** How texts must be prepared for a tuned model: what a Hugging Face configuration has no words for. */
export type ClassifierSettings = z.infer<typeof settingsSchema>;

/** Lies next to the model's `config.json`. */
export const SETTINGS_FILE = "tailtune.json";

/**
 * The most tokens that a tuned model is given of a text.
 * @param asked `--max-tokens`: longer texts are cut to it, to what the model takes with "context"; unset: as the run did
 * @throws TailtuneError "usage" if it is more than the model takes
 */
export function classifierLimit(
	{ maxTokens, truncate }: ClassifierSettings,
	asked: TrainConfig["maxTokens"],
): TokenLimit {
	if (typeof asked === "number" && asked > maxTokens) {
		const expected = `expected at most ${maxTokens}, which this model was tuned with`;
		throw new TailtuneError("usage", `--max-tokens: found ${asked}, ${expected}`);
	}
	const tokens = typeof asked === "number" ? asked : maxTokens;
	return { tokens, cut: truncate || asked !== undefined, reason: "the limit that the model was tuned with" };
}

/** Reads the settings of a model folder. @throws TailtuneError "not-found" or "model" that names the file */
export async function readClassifierSettings(modelFolder: string): Promise<ClassifierSettings> {
	const file = join(modelFolder, SETTINGS_FILE);
	const bytes = await readRegularFile(file, MOST_JSON_BYTES, "model").catch((cause: TailtuneError) => {
		if (cause.code !== "not-found") throw cause;
		const message = `${dirname(modelFolder)}: no finished run here (${file} doesn't exist)`;
		throw new TailtuneError("not-found", message, { cause });
	});
	try {
		return settingsSchema.parse(JSON.parse(bytes.toString("utf8")));
	} catch (cause) {
		throw new TailtuneError("model", `${file}: not the settings of a tuned model`, { cause });
	}
}
