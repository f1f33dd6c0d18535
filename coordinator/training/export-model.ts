import { join } from "node:path";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import type { ClassifierSettings } from "../classify/classifier-settings.ts";
import { exportClassifier } from "../export/export-classifier.ts";
import type { LabelRule } from "../metrics/scoring.ts";
import type { RunContext } from "./run-context.ts";

/**
 * Writes a run's model with these parameters to `model/`, replacing an earlier one.
 * @param rule temperature, by which the head is divided, and thresholds of the classifier
 * @param bestThresholds those with the best F1 on validation; default: none, because the run isn't finished
 * @throws TailtuneError as `exportClassifier`
 */
export async function exportModel(
	run: Pick<RunContext, "tail" | "texts" | "folder" | "config" | "frozenBlocks">,
	model: ModelFiles,
	parameters: Float32Array,
	rule: LabelRule,
	bestThresholds: readonly number[] = [],
): Promise<void> {
	await exportClassifier({
		model,
		spec: run.tail,
		parameters,
		labels: run.texts.labels,
		temperature: rule.temperature,
		folder: join(run.folder, "model"),
		tokenizer: run.texts.tokenizer,
		maxTokens: run.texts.maxTokens,
		extra: { ...classifierSettings(run, rule), bestThresholds: [...bestThresholds] },
	});
}

function classifierSettings(
	{ texts, config, frozenBlocks }: Pick<RunContext, "texts" | "config" | "frozenBlocks">,
	{ multiLabel, temperature, thresholds }: LabelRule,
): Omit<ClassifierSettings, "bestThresholds"> {
	const { labels, padding, maxTokens, long, tokenizer } = texts;
	const { token, causal, padTo = null, padId = tokenizer.padId } = padding;
	const computed = computeSettingsOf(config, frozenBlocks);
	const rule = { multiLabel, thresholds: [...thresholds], abstain: config.abstain ?? 0 };
	const reading = { token, causal, maxTokens, long, padTo, padId };
	const { hash, specialTokens } = tokenizer;
	const calibrated = { foldedTemperature: temperature, ...rule };
	return { format: 1, labels: [...labels], ...reading, tokenizer: hash, specialTokens, ...calibrated, ...computed };
}

/** Computation settings. In fp32 the result doesn't depend on where the trunk ends; a tail of one block is fastest. */
function computeSettingsOf(
	{ trunkPrecision = "fp32", trainable }: RunContext["config"],
	frozenBlocks: number,
): Pick<ClassifierSettings, "trunkPrecision" | "tail"> {
	const isLastLayers = trainable === "head" || trainable === "last-block" || trainable === "last-two-blocks";
	if (trunkPrecision === "fp32" || !isLastLayers || frozenBlocks === 0)
		return { trunkPrecision: "fp32", tail: "last-block" };
	return { trunkPrecision, tail: trainable };
}
