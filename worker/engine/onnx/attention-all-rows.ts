import type { Value } from "./graph-builder.ts";
import type { AttentionPlaces } from "./packed-rows.ts";
import { linear, norm, type Pass, type TailContext } from "./passes.ts";

/**
 * The first half of a block, rows + attention(norm(rows)), for all rows [rows, width].
 * @param real [texts, 1, longest, 1]: 1 where a place of the rectangle holds a row, 0 for padding
 */
export function attentionAllRows(
	context: TailContext,
	block: string,
	rows: Value,
	{ parts, merged, back, mask }: AttentionPlaces,
	real: Value,
): Pass {
	const { graph, heads, width } = context;
	const headWidth = width / heads;
	const product = (a: Value, b: Value, how: Record<string, number | { float: number }> = {}) =>
		graph.op("FusedMatMul", [a, b], how);
	const alpha = { float: 1 / Math.sqrt(headWidth) };
	const inParts = (value: Value) => graph.op("Reshape", [value, graph.ints([-1, headWidth])]);
	/** [texts, heads, longest, head width] to rows [rows, width]. */
	const toRows = (value: Value) =>
		graph.op("Reshape", [graph.op("Gather", [inParts(value), back]), graph.ints([-1, width])]);

	const normed = norm(context, `${block}.ln_1`, rows);
	const joint = linear(context, `${block}.attn.c_attn`, normed.value);
	const heap = inParts(joint.value);
	const [query, key, value] = parts.map((part) => graph.op("Gather", [heap, part])) as [Value, Value, Value];
	const scores = graph.op("Add", [product(query, key, { transB: 1, alpha }), mask]);
	const shares = graph.op("Softmax", [scores], { axis: -1 });
	const projected = linear(context, `${block}.attn.c_proj`, toRows(product(shares, value)));

	return {
		value: graph.op("Add", [rows, projected.value]),
		back(gradient) {
			// Padding holds the parts of any row: what it asks for is taken out here, and nobody sees it.
			const gathered = graph.op("Gather", [inParts(projected.back(gradient)), merged]);
			const dMixed = graph.op("Mul", [gathered, real]);
			const dValue = product(shares, dMixed, { transA: 1 });
			const weighted = graph.op("Mul", [shares, product(dMixed, value, { transB: 1 })]);
			const total = graph.op("ReduceSum", [weighted, graph.ints([-1])]);
			const dScores = graph.op("Sub", [weighted, graph.op("Mul", [shares, total])]);
			const dQuery = product(dScores, key, { alpha });
			const dKey = product(dScores, query, { transA: 1, alpha });
			const dJoint = graph.op("Concat", [dQuery, dKey, dValue].map(toRows), { axis: 1 });
			return graph.op("Add", [gradient, normed.back(joint.back(dJoint))]);
		},
	};
}
