import type * as tf from "@tensorflow/tfjs";
import type { Activation } from "../../../shared/model/activation.ts";

const FUNCTIONS: Readonly<Record<Activation, (x: tf.Tensor) => tf.Tensor>> = {
	gelu: (x) => x.mul(Math.SQRT1_2).erf().add(1).mul(x).mul(0.5),
	gelu_new(x) {
		const inner = x
			.mul(x)
			.mul(0.044715)
			.add(1)
			.mul(x)
			.mul(Math.sqrt(2 / Math.PI));
		return inner.tanh().add(1).mul(x).mul(0.5);
	},
	relu: (x) => x.relu(),
	silu: (x) => x.sigmoid().mul(x),
};

/** Applies an activation to each number. */
export function activate(activation: Activation, x: tf.Tensor): tf.Tensor {
	return FUNCTIONS[activation](x);
}
