import { join } from "node:path";
import { readInitialParameters } from "../../coordinator/base-model/initial-parameters.ts";
import { resolveModel } from "../../coordinator/base-model/resolve-model.ts";
import { exportClassifier } from "../../coordinator/export/export-classifier.ts";
import { writeJson } from "../../shared/files/write-atomic.ts";
import { openModel } from "../../shared/model/open-model.ts";
import { plainTail } from "../../shared/model/tail-spec.ts";
import { PAD_ID } from "../../shared/sequences/effective-sequence.ts";
import { gpt2 } from "../gpt2-tokenizer.ts";
import { newFolder } from "../new-folder.ts";

export const labels = ["ham", "spam"];

/**
 * Writes a run's model: the demo model with an untrained head initialised from `seed`.
 * @param thresholds of the labels; default: a text has one label
 */
export async function writeModel(
	run: string,
	seed: number,
	thresholds?: readonly number[],
	names: readonly string[] = labels,
): Promise<void> {
	const model = await openModel(await resolveModel("demo"));
	const spec = plainTail("TRAINABLE_LAST_BLOCK", names.length);
	const parameters = await readInitialParameters(model, spec, seed);
	const reading = {
		token: "last-real",
		causal: true,
		maxTokens: 256,
		padTo: null,
		padId: PAD_ID,
		tokenizer: gpt2.hash,
	};
	const extra = { format: 1, labels: names, ...reading, ...(thresholds && { multiLabel: true, thresholds }) };
	await exportClassifier({
		model,
		spec,
		parameters,
		labels: names,
		tokenizer: gpt2,
		folder: join(run, "model"),
		extra,
	});
}

/** Makes a run folder with all files of a trained run that serving reads. */
export async function makeRun(seed = 1, thresholds?: readonly number[]): Promise<string> {
	const run = await newFolder();
	await writeJson(join(run, "config.json"), {});
	await writeModel(run, seed, thresholds);
	return run;
}
