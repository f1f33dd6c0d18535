import * as tf from "@tensorflow/tfjs";
import type { TailSpec } from "../../../shared/messages.ts";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import { blockShapes } from "../../../shared/model/parameter-layout.ts";
import { countFrozenBlocks } from "../../../shared/model/tail-spec.ts";
import { embed, readEmbedding } from "../embedding.ts";
import type { Trunk } from "../engine.ts";
import { openTfjsBackend, type TfjsOptions } from "./backend.ts";
import { runBlock } from "./block.ts";
import type { Weights } from "./layers.ts";
import { attentionMask } from "./rectangle.ts";
import { disposeAll, readFrozen } from "./weights.ts";

/**
 * Opens the blocks before the cut on TensorFlow.js. Texts are computed one by one: products of other shapes round
 * differently, and a text's states must not depend on the other texts. Throws TailtuneError "engine" if the backend
 * can't be used.
 */
export async function openTfjsTrunk(model: ModelFiles, spec: TailSpec, options: TfjsOptions): Promise<Trunk> {
	const { config } = model;
	const blocks = Array.from({ length: countFrozenBlocks(spec, config.n_layer) }, (_, block) => block);
	const backend = await openTfjsBackend(options);
	const embedding = await readEmbedding(model);
	const names = blocks.flatMap((block) => blockShapes(block, config).map(([name]) => name));
	const tensors = await readFrozen(backend, model, names);
	const weights = { tensors, config, loraScale: 0 };
	const run = { weights, blocks, causal: spec.causal };
	return {
		info: backend.info,
		async hiddenStates(sequences) {
			const states: Float32Array[] = [];
			for (const text of sequences) {
				states.push(...(await backend.compute(() => [runBlocks(embed(text, embedding), config.n_embd, run)])));
			}
			return states;
		},
		dispose: () => backend.run(() => disposeAll(tensors)),
	};
}

/** The blocks of a trunk and their settings. */
interface Blocks {
	readonly weights: Weights;
	readonly blocks: readonly number[];
	readonly causal: boolean;
}

/** @param embedded one text, [rows, width] */
function runBlocks(embedded: Float32Array, width: number, { weights, blocks, causal }: Blocks): tf.Tensor {
	const rows = embedded.length / width;
	const shape = { texts: 1, rows };
	const mask = attentionMask([rows], causal, shape);
	const first: tf.Tensor = tf.tensor2d(embedded, [rows, width]);
	return blocks.reduce((x, block) => runBlock(x, mask, weights, block, shape), first);
}
