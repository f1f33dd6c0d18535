import * as tf from "@tensorflow/tfjs";
import { runBlock, runBlockForOneRow } from "./block.ts";
import { addLora, layerNorm, recordFactors, type Weights, weight } from "./layers.ts";
import { attentionMask, oneRowMask, type Pool, poolMatrix, rectangleOf } from "./rectangle.ts";

/** The shape of a batch of texts for the tail. */
export interface TailBatch {
	/** Number of rows of each text, and the rows that the head reads. */
	readonly lengths: readonly number[];
	readonly pools: readonly Pool[];
	readonly causal: boolean;
	/** Blocks of the tail, in order. */
	readonly blocks: readonly number[];
}

/** Returns whether the last block is computed for one row per text, without keys and values. */
export function readsOneRow({ pools, blocks }: TailBatch): boolean {
	return blocks.length > 0 && pools.every(({ poolCount }) => poolCount === 1);
}

/**
 * Computes the logits of texts from the input states of the tail.
 * @param x [texts * rows, width], padded by `pad`
 * @returns [texts, classes]
 */
export function tailLogits(x: tf.Tensor, batch: TailBatch, weights: Weights): tf.Tensor2D {
	const state = readsOneRow(batch) ? oneRowState(x, batch, weights) : meanState(x, batch, weights);
	const product = tf.matMul(state, weight(weights, "score.weight"), false, true);
	const plain = recordFactors(weights, "score.weight", state, product).add(weight(weights, "score.bias"));
	return addLora(plain, state, weights, "score") as tf.Tensor2D;
}

/** Computes the mean over the pooled rows of the states after the final norm. */
function meanState(x: tf.Tensor, { lengths, pools, causal, blocks }: TailBatch, weights: Weights): tf.Tensor {
	const shape = rectangleOf(lengths);
	const mask = attentionMask(lengths, causal, shape);
	const last = blocks.reduce((states, block) => runBlock(states, mask, weights, block, shape), x);
	return tf.matMul(poolMatrix(pools, shape), layerNorm(last, weights, "ln_f"));
}

function oneRowState(x: tf.Tensor, { lengths, pools, causal, blocks }: TailBatch, weights: Weights): tf.Tensor {
	const shape = rectangleOf(lengths);
	const mask = attentionMask(lengths, causal, shape);
	const before = blocks.slice(0, -1).reduce((states, block) => runBlock(states, mask, weights, block, shape), x);
	const counts = causal ? pools.map(({ poolFrom }) => poolFrom + 1) : lengths;
	const last = blocks.at(-1) ?? 0;
	const row = runBlockForOneRow(before, poolMatrix(pools, shape), oneRowMask(counts, shape), weights, last, shape);
	return layerNorm(row, weights, "ln_f");
}
