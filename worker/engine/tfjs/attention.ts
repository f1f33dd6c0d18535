import * as tf from "@tensorflow/tfjs";
import { attentionScale } from "../../../shared/model/variant.ts";
import { gainAndShift, linearLayer, mergedWeight, recordFactors, type Weights, weight } from "./layers.ts";
import type { Rectangle } from "./rectangle.ts";

/**
 * Computes multi-head attention of every row (Vaswani et al., "Attention Is All You Need", section 3.2), without the
 * output projection.
 * @param x normed rows [texts * rows, width]
 * @param mask added to the scores [texts, heads, rows, rows]
 * @returns [texts * rows, width]
 */
export function attend(
	x: tf.Tensor,
	mask: tf.Tensor,
	weights: Weights,
	block: number,
	{ texts, rows }: Rectangle,
): tf.Tensor {
	const { n_head: heads } = weights.config;
	const [, width = 0] = x.shape;
	const split = (part: string) =>
		linearLayer(x, weights, `h.${block}.attn.c_attn.${part}`)
			.reshape([texts, rows, heads, width / heads])
			.transpose([0, 2, 1, 3]);
	const scores = tf.matMul(split("q").mul(attentionScale(weights.config, block)), split("k"), false, true);
	const mixed = tf.matMul(tf.softmax(scores.add(mask)), split("v"));
	return mixed.transpose([0, 2, 1, 3]).reshape([texts * rows, width]);
}

/**
 * Computes the same for one query row per text, without keys or values: q (W_k x) = (W_k' q) x, so the query is
 * multiplied by W_k' once, and W_v is applied to the mean of the rows under the attention weights. The norm's shift and
 * the key bias add the same to the score of every row, which has no effect on the softmax.
 * @param normal rows of `normalise` [texts * rows, width]
 * @param pick [texts, texts * rows]: one 1 per line selects the query row of a text
 * @param mask added to the scores [texts, heads, rows]
 * @returns [texts, width]
 */
export function attendFromOneRow(
	normal: tf.Tensor,
	pick: tf.Tensor,
	mask: tf.Tensor,
	weights: Weights,
	block: number,
	{ texts, rows }: Rectangle,
): tf.Tensor {
	const { n_head: heads } = weights.config;
	const [, width = 0] = normal.shape;
	const size = width / heads;
	const [norm, name] = [`h.${block}.ln_1`, `h.${block}.attn`];
	const byText = normal.reshape([texts, rows, width]);

	const row = gainAndShift(tf.matMul(pick, normal), weights, norm);
	const query = linearLayer(row, weights, `${name}.c_attn.q`).mul(attentionScale(weights.config, block));
	const keyWeight = mergedWeight(weights, `${name}.c_attn.k`).reshape([width, heads, size]).transpose([1, 2, 0]);
	const product = tf.matMul(query.reshape([texts, heads, size]).transpose([1, 0, 2]), keyWeight).transpose([1, 0, 2]);
	const queryTimesKeyWeight = recordFactors(weights, `${name}.c_attn.k.weight`, query, product);
	const scores = tf.matMul(queryTimesKeyWeight.mul(weight(weights, `${norm}.weight`)), byText, false, true);

	const mean = gainAndShift(tf.matMul(tf.softmax(scores.add(mask)), byText), weights, norm);
	const valueWeight = mergedWeight(weights, `${name}.c_attn.v`).reshape([width, heads, size]).transpose([1, 0, 2]);
	const mixed = tf
		.matMul(mean.transpose([1, 0, 2]), valueWeight)
		.transpose([1, 0, 2])
		.reshape([texts, width]);
	return recordFactors(weights, `${name}.c_attn.v.weight`, mean, mixed).add(weight(weights, `${name}.c_attn.v.bias`));
}
