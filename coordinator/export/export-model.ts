import { join } from "node:path";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { classifierSettings } from "../classify/classifier-settings.ts";
import type { RunContext } from "../training/run-context.ts";
import { exportClassifier } from "./export-classifier.ts";

/** Writes a run's model as it is with those parameters; one that is there is replaced. Throws as `exportClassifier`. */
export async function exportModel(
	run: Pick<RunContext, "tail" | "texts" | "folder" | "config" | "cut">,
	model: ModelFiles,
	parameters: Float32Array,
): Promise<void> {
	await exportClassifier({
		model,
		spec: run.tail,
		parameters,
		labels: run.texts.labels,
		folder: join(run.folder, "model"),
		maxTokens: run.texts.maxTokens,
		extra: classifierSettings(run),
	});
}
