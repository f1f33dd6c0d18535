import { join } from "node:path";
import type { TailSpec } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { openModel } from "../../shared/model/open-model.ts";
import { type ParameterLayout, parameterViews } from "../../shared/model/parameter-layout.ts";
import { readSafetensorsFile } from "../../shared/model/safetensors.ts";
import { TRAINABLE_BY_NAME } from "../../shared/model/tail-spec.ts";
import { type GoldenCase, type GoldenSet, readGoldenSet } from "./golden-format.ts";

/** A folder in the golden format, opened. */
export interface GoldenFolder {
	readonly path: string;
	readonly set: GoldenSet;
	readonly model: ModelFiles;
}

/** Opens a folder. @throws TailtuneError if the golden set or the model can't be used */
export async function openGoldenFolder(path: string): Promise<GoldenFolder> {
	return { path, set: await readGoldenSet(path), model: await openModel(path) };
}

const TRAINABLE = {
	head: TRAINABLE_BY_NAME.head,
	last_block: TRAINABLE_BY_NAME["last-block"],
	last_two_blocks: TRAINABLE_BY_NAME["last-two-blocks"],
	all: TRAINABLE_BY_NAME.all,
	lora: TRAINABLE_BY_NAME.lora,
	"lora-only": TRAINABLE_BY_NAME["lora-only"],
} as const satisfies Record<GoldenCase["trainable"], TailSpec["trainable"]>;

/** Returns a case's setting as a tail spec. */
export function specOf({ trainable, classes, causal, lora, criterion }: GoldenCase): TailSpec {
	return {
		trainable: TRAINABLE[trainable],
		classes,
		causal,
		loraRank: lora?.rank ?? 0,
		loraScale: lora?.scale ?? 0,
		loss: criterion
			? {
					multiLabel: criterion.multi_label,
					labelSmoothing: criterion.label_smoothing,
					classWeights: criterion.class_weights,
				}
			: null,
	};
}

/** Reads the parameter vector before the first step. */
export async function startOf({ path, model }: GoldenFolder, golden: GoldenCase, layout: ParameterLayout) {
	const head = await readSafetensorsFile(join(path, golden.head));
	const lora = golden.lora && (await readSafetensorsFile(join(path, "lora.safetensors")));
	const vector = new Float32Array(layout.size);
	for (const [name, values] of parameterViews(layout, vector)) {
		const source = name.includes(".lora_") && lora ? lora : name.startsWith("score.") ? head : model;
		values.set(await source.read(name));
	}
	return vector;
}
