import { activationOf } from "../../../shared/model/variant.ts";
import { activationPass } from "./activation.ts";
import type { GraphBuilder, Value } from "./graph-builder.ts";
import { withLora } from "./lora.ts";
import type { Pass, TailContext } from "./pass.ts";

/**
 * Layer normalisation without scale and shift: rows of mean 0 and variance 1 (Ba et al. 2016, "Layer Normalization").
 */
export function standardisePass({ graph, width, config }: TailContext, rows: Value): Pass {
	const ones = graph.filled(1, width);
	const epsilon = { float: config.layer_norm_epsilon };
	const [value = "", , scale = ""] = graph.ops("LayerNormalization", [rows, ones], 3, { epsilon });
	const mean = (of: Value) => graph.op("ReduceMean", [of, graph.ints([-1])]);
	return {
		value,
		back(gradient) {
			const along = graph.op("Mul", [value, mean(graph.op("Mul", [gradient, value]))]);
			const centred = graph.op("Sub", [gradient, mean(gradient)]);
			return graph.op("Mul", [scale, graph.op("Sub", [centred, along])]);
		},
	};
}

/** Layer normalisation of rows [rows, width] with the trained scale and shift `name.weight` and `name.bias`. */
export function normPass(context: TailContext, name: string, rows: Value): Pass {
	const { graph } = context;
	const standard = standardisePass(context, rows);
	const weight = context.weight(`${name}.weight`);
	const value = graph.op("Add", [graph.op("Mul", [standard.value, weight]), context.weight(`${name}.bias`)]);
	return {
		value,
		back(gradient) {
			context.setGradient(`${name}.weight`, sumOfRows(graph, graph.op("Mul", [gradient, standard.value])));
			context.setGradient(`${name}.bias`, sumOfRows(graph, gradient));
			return standard.back(graph.op("Mul", [gradient, weight]));
		},
	};
}

/** A linear layer: rows [rows, in] times `name.weight` [in, out] plus `name.bias`. */
export function linearPass(context: TailContext, name: string, rows: Value): Pass {
	const { graph } = context;
	const weight = context.weight(`${name}.weight`);
	return withLora(context, name, rows, {
		value: graph.op("Gemm", [rows, weight, context.weight(`${name}.bias`)]),
		back(gradient) {
			const product = graph.op("Gemm", [rows, gradient], { transA: 1 });
			context.setGradient(`${name}.weight`, product, { factors: [{ left: rows, right: gradient }] });
			context.setGradient(`${name}.bias`, sumOfRows(graph, gradient));
			return timesTransposed(graph, gradient, weight);
		},
	});
}

/** The second half of a block: rows + MLP(norm(rows)). */
export function mlpPass(context: TailContext, block: number, rows: Value): Pass {
	const { graph, config } = context;
	const normed = normPass(context, `h.${block}.ln_2`, rows);
	const inner = linearPass(context, `h.${block}.mlp.c_fc`, normed.value);
	const active = activationPass(graph, activationOf(config), inner.value);
	const outer = linearPass(context, `h.${block}.mlp.c_proj`, active.value);
	return {
		value: graph.op("Add", [rows, outer.value]),
		back(gradient) {
			const through = normed.back(inner.back(active.back(outer.back(gradient))));
			return graph.op("Add", [gradient, through]);
		},
	};
}

/** Sums over the given axes; by default over the rows of [rows, columns]. */
export function sumOfRows(graph: GraphBuilder, rows: Value, axes: readonly number[] = [0]): Value {
	return graph.op("ReduceSum", [rows, graph.ints(axes)], { keepdims: 0 });
}

/**
 * Multiplies rows by the transpose of a weight. It is computed as the transpose of weight times transposed rows: with
 * few rows ONNX Runtime then reads the weight in its stored order, a third faster than if it had to repack it.
 */
export function timesTransposed(graph: GraphBuilder, rows: Value, weight: Value): Value {
	const product = graph.op("MatMul", [weight, graph.op("Transpose", [rows], { perm: [1, 0] })]);
	return graph.op("Transpose", [product], { perm: [1, 0] });
}

/**
 * The gradient with respect to the scores of a softmax over the last axis, given its output and the gradient of that.
 */
export function softmaxGradient(graph: GraphBuilder, shares: Value, dShares: Value): Value {
	const weighted = graph.op("Mul", [shares, dShares]);
	const total = graph.op("ReduceSum", [weighted, graph.ints([-1])]);
	return graph.op("Sub", [weighted, graph.op("Mul", [shares, total])]);
}
