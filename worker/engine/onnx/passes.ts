import type { GraphBuilder, Value } from "./graph-builder.ts";

/** A part of the forward pass together with its part of the backward pass. */
export interface Pass {
	readonly value: Value;
	/** From the loss's gradient with respect to `value` to that of the input; keeps those of the weights on the way. */
	back(gradient: Value): Value;
}

/** What all parts of a tail are built with. */
export interface TailContext {
	readonly graph: GraphBuilder;
	readonly width: number;
	readonly heads: number;
	/** Added to the variance in layer normalisation. */
	readonly epsilon: number;
	weight(name: string): Value;
	/** Factor on x A B where a linear layer has a LoRA pair; undefined where none has. */
	readonly loraScale: number | undefined;
	readonly loraRank: number;
	/** Says what a weight's gradient is, in the weight's shape or in another view of the same numbers. */
	gradient(name: string, value: Value, view?: readonly number[]): void;
}

/** Rows with mean 0 and variance 1, and what takes a gradient through that (Ba et al. 2016, "Layer Normalization"). */
export function standardise({ graph, width, epsilon }: TailContext, rows: Value): Pass {
	const ones = graph.filled(1, width);
	const [value = "", , scale = ""] = graph.ops("LayerNormalization", [rows, ones], 3, { epsilon: { float: epsilon } });
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
export function norm(context: TailContext, name: string, rows: Value): Pass {
	const { graph } = context;
	const standard = standardise(context, rows);
	const weight = context.weight(`${name}.weight`);
	const value = graph.op("Add", [graph.op("Mul", [standard.value, weight]), context.weight(`${name}.bias`)]);
	return {
		value,
		back(gradient) {
			context.gradient(`${name}.weight`, sumOfRows(graph, graph.op("Mul", [gradient, standard.value])));
			context.gradient(`${name}.bias`, sumOfRows(graph, gradient));
			return standard.back(graph.op("Mul", [gradient, weight]));
		},
	};
}

/** rows [rows, in] times `name.weight` [in, out] plus `name.bias`. */
export function linear(context: TailContext, name: string, rows: Value): Pass {
	const { graph } = context;
	const weight = context.weight(`${name}.weight`);
	return withLora(context, name, rows, {
		value: graph.op("Gemm", [rows, weight, context.weight(`${name}.bias`)]),
		back(gradient) {
			context.gradient(`${name}.weight`, graph.op("Gemm", [rows, gradient], { transA: 1 }));
			context.gradient(`${name}.bias`, sumOfRows(graph, gradient));
			return timesTransposed(graph, gradient, weight);
		},
	});
}

/** A linear layer of these rows with s x A B added where layers have LoRA pairs (Hu et al. 2021, "LoRA", section 4.1). */
export function withLora(context: TailContext, name: string, rows: Value, plain: Pass): Pass {
	const { graph, loraScale } = context;
	if (loraScale === undefined) return plain;
	const parts = name.endsWith(".c_attn") ? ["q", "k", "v"].map((part) => `${name}.${part}`) : [name];
	const pairs = parts.map((part) => loraPair(context, part, rows, loraScale));
	const joined = graph.op(
		"Concat",
		pairs.map(({ value }) => value),
		{ axis: 1 },
	);
	return {
		value: graph.op("Add", [plain.value, joined]),
		back(gradient) {
			const own = graph.ops("Split", [gradient], parts.length, { axis: 1, num_outputs: parts.length });
			const through = pairs.map((pair, i) => pair.back(own[i] as Value));
			return through.reduce((sum, one) => graph.op("Add", [sum, one]), plain.back(gradient));
		},
	};
}

/** s x A B with the trained pair `name.lora_A` and `name.lora_B`. */
function loraPair(context: TailContext, name: string, rows: Value, scale: number): Pass {
	const { graph, loraRank: rank } = context;
	const [a, b] = [context.weight(`${name}.lora_A`), context.weight(`${name}.lora_B`)];
	const inner = fewColumns(graph, rows, a);
	const alpha = { float: scale };
	return {
		value: graph.op("Gemm", [inner, b], { transA: 1, alpha }),
		back(gradient) {
			const own = graph.op("Gemm", [turned(graph, inner, rank), gradient], { transA: 1, alpha });
			context.gradient(`${name}.lora_B`, own);
			const dInner = fewColumns(graph, gradient, turned(graph, b, rank), alpha);
			context.gradient(`${name}.lora_A`, graph.op("Gemm", [rows, dInner], { transA: 1, transB: 1 }));
			return graph.op("Gemm", [dInner, a], { transA: 1, transB: 1 });
		},
	};
}

/**
 * rows [rows, in] times a matrix [in, few] of few columns, turned: [few, rows].
 *
 * ONNX Runtime adds up in portions whose size depends on a thread's columns where these are few, so that the bits would
 * depend on the threads; but not where the left operand is stored by columns, as the matrix is here.
 */
export function fewColumns(graph: GraphBuilder, rows: Value, matrix: Value, alpha = { float: 1 }): Value {
	return graph.op("Gemm", [matrix, rows], { transA: 1, transB: 1, alpha });
}

/** A matrix of so many rows, stored by columns. Turned as a batch of one, since a plain turn becomes a product's flag. */
export function turned(graph: GraphBuilder, matrix: Value, rows: number): Value {
	const batch = graph.op("Reshape", [matrix, graph.ints([1, rows, -1])]);
	return graph.op("Reshape", [graph.op("Transpose", [batch], { perm: [0, 2, 1] }), graph.ints([-1, rows])]);
}

/** GELU in its tanh form (Hendrycks and Gimpel 2016): x / 2 * (1 + tanh(a (x + b x^3))). */
export function gelu({ graph }: TailContext, x: Value): Pass {
	const a = Math.sqrt(2 / Math.PI);
	const b = 0.044715;
	const times = (value: Value, factor: Value | number) =>
		graph.op("Mul", [value, typeof factor === "number" ? graph.float(factor) : factor]);
	const plus = (value: Value, summand: Value | number) =>
		graph.op("Add", [value, typeof summand === "number" ? graph.float(summand) : summand]);
	const square = times(x, x);
	const tanh = graph.op("Tanh", [times(x, plus(times(square, a * b), a))]);
	const share = times(plus(tanh, 1), 0.5);
	return {
		value: times(x, share),
		back(gradient) {
			// d/dx = share + x / 2 * (1 - tanh^2) * (a + 3 a b x^2)
			const inner = plus(times(square, 1.5 * a * b), 0.5 * a);
			const slope = times(times(x, inner), graph.op("Sub", [graph.float(1), times(tanh, tanh)]));
			return times(gradient, plus(share, slope));
		},
	};
}

/** The second half of a block: rows + MLP(norm(rows)). */
export function mlp(context: TailContext, block: string, rows: Value): Pass {
	const { graph } = context;
	const normed = norm(context, `${block}.ln_2`, rows);
	const inner = linear(context, `${block}.mlp.c_fc`, normed.value);
	const active = gelu(context, inner.value);
	const outer = linear(context, `${block}.mlp.c_proj`, active.value);
	return {
		value: graph.op("Add", [rows, outer.value]),
		back(gradient) {
			const through = normed.back(inner.back(active.back(outer.back(gradient))));
			return graph.op("Add", [gradient, through]);
		},
	};
}

/** The sum over rows [rows, columns], or over all but the last axis. */
export function sumOfRows(graph: GraphBuilder, rows: Value, axes: readonly number[] = [0]): Value {
	return graph.op("ReduceSum", [rows, graph.ints(axes)], { keepdims: 0 });
}

/**
 * rows times the transpose of weight. Written the other way round: with few rows ONNX Runtime then reads the weight
 * as it lies, a third faster than where it has to repack it.
 */
export function timesTransposed(graph: GraphBuilder, rows: Value, weight: Value): Value {
	const turned = graph.op("MatMul", [weight, graph.op("Transpose", [rows], { perm: [1, 0] })]);
	return graph.op("Transpose", [turned], { perm: [1, 0] });
}
