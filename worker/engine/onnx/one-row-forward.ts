import { attentionScale } from "../../../shared/model/variant.ts";
import type { Value } from "./graph-builder.ts";
import type { Pass, TailContext } from "./pass.ts";
import { linearPass, standardisePass } from "./passes.ts";

/** The query row of each text, and the rows that it attends to. */
export interface OneRowInputs {
	/** [texts, 1, longest]: added to the scores. */
	readonly mask: Value;
	/** Rows [rows, width] to the rectangle [texts, longest, width]. */
	readonly toRectangle: (rows: Value) => Pass;
	/** Rows [rows, width] to the query rows [texts, width]. */
	readonly pick: (rows: Value) => Pass;
}

/**
 * Values of the forward pass, named as in the formula at `attentionOneRow`. Shapes: [T] stands for texts, [R] for rows
 * of a text, [H] for heads, [D] for a head's width, [C] for the model's width.
 */
export interface OneRowForward {
	/** All rows standardised; the same as a rectangle, x [T, R, C]; the query rows of them [T, C]. */
	readonly standard: Pass;
	readonly rectangle: Pass;
	readonly picked: Pass;
	/** The query rows as they are, and what attention adds to them [T, C]. */
	readonly residual: Pass;
	readonly projected: Pass;
	/** The factor on the scores, w, and w times this factor. */
	readonly scale: Value;
	readonly w: Value;
	readonly wScaled: Value;
	/** w x + b of the query rows [T, C], W_q [C, C], and q [T, H, D]. */
	readonly queryInput: Value;
	readonly queryWeight: Value;
	readonly query: Value;
	/** W_k and W_v [C, H, D]. */
	readonly keyWeight: Value;
	readonly valueWeight: Value;
	/** W_k q, and the same times `wScaled` [H, T, C]. */
	readonly wkQ: Value;
	readonly scaledWkQ: Value;
	/** Attention weights [T, H, R]. */
	readonly shares: Value;
	/** m, and w m + b [T, H, C]. */
	readonly mean: Value;
	readonly valueInput: Value;
}

/** Adds the forward pass to the graph. */
export function oneRowForward(context: TailContext, block: number, rows: Value, inputs: OneRowInputs): OneRowForward {
	const { graph } = context;
	const { toHeads, toRows, times, batched, scoresOf } = shapeOperations(context);
	const name = `h.${block}.attn.c_attn`;
	const scale = graph.float(attentionScale(context.config, block));
	const standard = standardisePass(context, rows);
	const rectangle = inputs.toRectangle(standard.value);
	const x = rectangle.value;
	const picked = inputs.pick(standard.value);
	const [w, b] = [context.weight(`h.${block}.ln_1.weight`), context.weight(`h.${block}.ln_1.bias`)];
	const wScaled = times(w, scale);
	const queryInput = graph.op("Add", [times(picked.value, w), b]);
	const weights = graph.ops("Split", [context.weight(`${name}.weight`)], 3, { axis: 1, num_outputs: 3 });
	const biases = graph.ops("Split", [context.weight(`${name}.bias`)], 3, { axis: 0, num_outputs: 3 });
	const [queryWeight = ""] = weights;
	const [keyWeight, valueWeight] = [toHeads(weights[1] ?? ""), toHeads(weights[2] ?? "")];
	const query = toHeads(graph.op("Gemm", [queryInput, queryWeight, biases[0] ?? ""]));
	const wkQ = batched(query, keyWeight, { transBatchA: 1, transBatchB: 1, transB: 1 });
	const scaledWkQ = times(wkQ, wScaled);
	const scores = scoresOf(x, scaledWkQ);
	const shares = graph.op("Softmax", [graph.op("Add", [scores, inputs.mask])], { axis: -1 });
	const mean = graph.op("MatMul", [shares, x]);
	const valueInput = graph.op("Add", [times(mean, w), b]);
	const mixed = toRows(batched(valueInput, valueWeight, { transBatchA: 1, transBatchB: 1 })); // [T, C]
	const projected = linearPass(context, `h.${block}.attn.c_proj`, graph.op("Add", [mixed, biases[2] ?? ""]));
	const residual = inputs.pick(rows);
	return {
		...{ standard, rectangle, picked, residual, projected, scale, w, wScaled, queryInput, queryWeight, query },
		...{ keyWeight, valueWeight, wkQ, scaledWkQ, shares, mean, valueInput },
	};
}

/** Reshapes and products that both passes use. */
export function shapeOperations({ graph, heads, width }: TailContext) {
	const batched = (a: Value, b: Value, how: Record<string, number>) => graph.op("FusedMatMul", [a, b], how);
	const swap = (value: Value) => graph.op("Transpose", [value], { perm: [1, 0, 2] });
	return {
		batched,
		/** Swaps the first two of three axes. */
		swap,
		times: (a: Value, b: Value) => graph.op("Mul", [a, b]),
		/** [N, C] to [N, H, D]. */
		toHeads: (rows: Value) => graph.op("Reshape", [rows, graph.ints([-1, heads, width / heads])]),
		/** [H, N, D] to [N, C]. */
		toRows: (byHead: Value) => graph.op("Reshape", [swap(byHead), graph.ints([-1, width])]),
		/** x [T, R, C] times [H, T, C]: [T, H, R]. With x as the right operand, the bits would depend on the threads. */
		scoresOf: (x: Value, byHead: Value) =>
			graph.op("Transpose", [batched(x, byHead, { transBatchB: 1, transB: 1 })], { perm: [0, 2, 1] }),
	};
}
