import * as tf from "@tensorflow/tfjs";
import { activationOf } from "../../../shared/model/variant.ts";
import { activate } from "./activation.ts";
import { attend, attendFromOneRow } from "./attention.ts";
import { layerNorm, linearLayer, normalise, type Weights } from "./layers.ts";
import type { Rectangle } from "./rectangle.ts";

/**
 * Computes one transformer block of GPT-2 (a norm before each part).
 * @param x [texts * rows, width]
 * @param mask added to the attention scores [texts, heads, rows, rows]
 */
export function runBlock(x: tf.Tensor, mask: tf.Tensor, weights: Weights, block: number, shape: Rectangle): tf.Tensor {
	const mixed = attend(layerNorm(x, weights, `h.${block}.ln_1`), mask, weights, block, shape);
	return finishBlock(x, mixed, weights, block);
}

/**
 * Computes the same for one row per text.
 * @param pick [texts, texts * rows]: one 1 per line selects the row of a text
 * @param mask added to the attention scores [texts, heads, rows]
 * @returns [texts, width]
 */
export function runBlockForOneRow(
	x: tf.Tensor,
	pick: tf.Tensor,
	mask: tf.Tensor,
	weights: Weights,
	block: number,
	shape: Rectangle,
): tf.Tensor {
	const normal = normalise(x, weights.config.layer_norm_epsilon);
	const mixed = attendFromOneRow(normal, pick, mask, weights, block, shape);
	return finishBlock(tf.matMul(pick, x), mixed, weights, block);
}

function finishBlock(x: tf.Tensor, mixed: tf.Tensor, weights: Weights, block: number): tf.Tensor {
	const name = `h.${block}`;
	const middle = x.add(linearLayer(mixed, weights, `${name}.attn.c_proj`));
	const product = linearLayer(layerNorm(middle, weights, `${name}.ln_2`), weights, `${name}.mlp.c_fc`);
	const inner = activate(activationOf(weights.config), product);
	return middle.add(linearLayer(inner, weights, `${name}.mlp.c_proj`));
}
