import * as tf from "@tensorflow/tfjs";
import { runBlock, runBlockForOneRow } from "./block.ts";
import { addLora, layerNorm, type Weights, weight } from "./layers.ts";
import { attentionMask, oneRowMask, type Pool, poolMatrix, rectangleOf } from "./rectangle.ts";

/** What a tail is given besides numbers. */
export interface TailBatch {
	/** Rows of each text, and those of them that the head reads. */
	readonly lengths: readonly number[];
	readonly pools: readonly Pool[];
	readonly causal: boolean;
	/** Blocks of the tail, in order. */
	readonly blocks: readonly number[];
}

/** Whether the last block is run for one row a text, without keys and values. */
export function readsOneRow({ pools, blocks }: TailBatch): boolean {
	return blocks.length > 0 && pools.every(({ poolCount }) => poolCount === 1);
}

/**
 * Logits of texts from the states that enter the tail.
 * @param x [texts * rows, width], padded as `pad` does
 * @returns [texts, classes]
 */
export function tailLogits(x: tf.Tensor, batch: TailBatch, weights: Weights): tf.Tensor2D {
	const state = readsOneRow(batch) ? oneRowState(x, batch, weights) : meanState(x, batch, weights);
	const plain = tf.matMul(state, weight(weights, "score.weight"), false, true).add(weight(weights, "score.bias"));
	return addLora(plain, state, weights, "score") as tf.Tensor2D;
}

/** The mean over the pooled rows of the states after the final norm. */
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
	const seen = causal ? pools.map(({ poolFrom }) => poolFrom + 1) : lengths;
	const last = blocks.at(-1) ?? 0;
	const row = runBlockForOneRow(before, poolMatrix(pools, shape), oneRowMask(seen, shape), weights, last, shape);
	return layerNorm(row, weights, "ln_f");
}
