import * as tf from "@tensorflow/tfjs";
import { TailtuneError } from "../../../shared/errors.ts";
import type { Gpt2Config } from "../../../shared/model/gpt2-config.ts";
import type { FactorRecorder } from "./factor-recorder.ts";

/** The tensors of a model, by their names from `slotsOf`, and settings of its layers. */
export interface Weights {
	readonly tensors: ReadonlyMap<string, tf.Tensor>;
	/** Shape and variant of the model. */
	readonly config: Gpt2Config;
	/** Factor on x A B in linear layers with a LoRA pair. */
	readonly loraScale: number;
	/** Records the factors of some weights' gradients; default: none. */
	readonly recorder?: FactorRecorder | undefined;
}

/** Returns the tensor with this name. Throws TailtuneError "engine" if there is none. */
export function weight({ tensors }: Weights, name: string): tf.Tensor {
	const found = tensors.get(name);
	if (!found) throw new TailtuneError("engine", `tfjs: tensor ${name} was not loaded`);
	return found;
}

/** Scales rows to mean 0 and variance 1 over the last dimension: a layer norm without its gain and shift. */
export function normalise(x: tf.Tensor, epsilon: number): tf.Tensor {
	const { mean, variance } = tf.moments(x, -1, true);
	return x.sub(mean).mul(variance.add(epsilon).rsqrt());
}

/** Applies the gain and shift of a layer norm to rows from `normalise`. */
export function gainAndShift(x: tf.Tensor, weights: Weights, name: string): tf.Tensor {
	return x.mul(weight(weights, `${name}.weight`)).add(weight(weights, `${name}.bias`));
}

export function layerNorm(x: tf.Tensor, weights: Weights, name: string): tf.Tensor {
	return gainAndShift(normalise(x, weights.config.layer_norm_epsilon), weights, name);
}

/**
 * Computes x W + b, plus s x A B if the layer has a LoRA pair (Hu et al., "LoRA", section 4.1).
 * @param x [rows, inputs]
 */
export function linearLayer(x: tf.Tensor, weights: Weights, name: string): tf.Tensor {
	const product = recordFactors(weights, `${name}.weight`, x, tf.matMul(x, weight(weights, `${name}.weight`)));
	return addLora(product.add(weight(weights, `${name}.bias`)), x, weights, name);
}

/** Records the factors of a weight's gradient if they are wanted. @returns the product, to compute with */
export function recordFactors({ recorder }: Weights, name: string, x: tf.Tensor, product: tf.Tensor): tf.Tensor {
	return recorder ? recorder.record(name, x, product) : product;
}

/** Adds s x A B to `y` if the layer has a LoRA pair. */
export function addLora(y: tf.Tensor, x: tf.Tensor, weights: Weights, name: string): tf.Tensor {
	const a = weights.tensors.get(`${name}.lora_A`);
	if (!a) return y;
	const b = weight(weights, `${name}.lora_B`);
	return y.add(tf.matMul(tf.matMul(x, a), b).mul(weights.loraScale));
}

/** Returns a linear layer's weight [inputs, outputs], with s A B of its LoRA pair added. */
export function mergedWeight(weights: Weights, name: string): tf.Tensor {
	const plain = weight(weights, `${name}.weight`);
	const a = weights.tensors.get(`${name}.lora_A`);
	if (!a) return plain;
	return plain.add(tf.matMul(a, weight(weights, `${name}.lora_B`)).mul(weights.loraScale));
}
