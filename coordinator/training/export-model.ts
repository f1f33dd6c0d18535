import { join } from "node:path";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { PAD_ID } from "../../shared/sequences/effective-sequence.ts";
import type { ClassifierSettings } from "../classify/classifier-settings.ts";
import { exportClassifier } from "../export/export-classifier.ts";
import type { LabelRule } from "../metrics/scoring.ts";
import type { RunContext } from "./run-context.ts";

/**
 * Writes a run's model with these parameters to `model/`, replacing an earlier one.
 * @param rule temperature and thresholds of the classifier
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
		folder: join(run.folder, "model"),
		maxTokens: run.texts.maxTokens,
		extra: { ...classifierSettings(run, rule), bestThresholds: [...bestThresholds] },
	});
}

function classifierSettings(
	{ texts, config, frozenBlocks }: Pick<RunContext, "texts" | "config" | "frozenBlocks">,
	{ multiLabel, temperature, thresholds }: LabelRule,
): Omit<ClassifierSettings, "bestThresholds"> {
	const { labels, padding, maxTokens, long } = texts;
	const { token, causal, padTo = null, padId = PAD_ID } = padding;
	const computed = computeSettingsOf(config, frozenBlocks);
	const rule = { multiLabel, temperature, thresholds: [...thresholds], abstain: config.abstain ?? 0 };
	return { format: 1, labels: [...labels], token, causal, maxTokens, long, padTo, padId, ...rule, ...computed };
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
