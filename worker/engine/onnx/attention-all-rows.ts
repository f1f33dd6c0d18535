import type { Value } from "./graph-builder.ts";
import { linear, norm, type Pass, type TailContext } from "./passes.ts";

/**
 * The first half of a block, rows + attention(norm(rows)), for all rows [texts * longest, width].
 * @param mask added to the scores [texts, heads, longest, longest]
 * @param corners int64 [2]: texts and longest
 */
export function attentionAllRows(context: TailContext, block: string, rows: Value, mask: Value, corners: Value): Pass {
	const { graph, heads, width } = context;
	const headWidth = width / heads;
	const product = (a: Value, b: Value, how: Record<string, number | { float: number }> = {}) =>
		graph.op("FusedMatMul", [a, b], how);
	const alpha = { float: 1 / Math.sqrt(headWidth) };
	const shape = (sizes: number[]) => graph.op("Concat", [corners, graph.ints(sizes)], { axis: 0 });

	const normed = norm(context, `${block}.ln_1`, rows);
	const joint = linear(context, `${block}.attn.c_attn`, normed.value);
	const split = graph.op("Transpose", [graph.op("Reshape", [joint.value, shape([3, heads, headWidth])])], {
		perm: [2, 0, 3, 1, 4],
	});
	const [query = "", key = "", value = ""] = graph.ops("Split", [split], 3, { axis: 0, num_outputs: 3 });
	const scores = graph.op("Add", [product(query, key, { transB: 1, alpha }), mask]);
	const shares = graph.op("Softmax", [scores], { axis: -1 });
	const mixed = graph.op("Transpose", [product(shares, value)], { perm: [0, 1, 3, 2, 4] });
	const merged = graph.op("Reshape", [mixed, graph.ints([-1, width])]);
	const projected = linear(context, `${block}.attn.c_proj`, merged);

	return {
		value: graph.op("Add", [rows, projected.value]),
		back(gradient) {
			const dMerged = graph.op("Reshape", [projected.back(gradient), shape([heads, headWidth])]);
			const dMixed = graph.op("Unsqueeze", [graph.op("Transpose", [dMerged], { perm: [0, 2, 1, 3] }), graph.ints([0])]);
			const dValue = product(shares, dMixed, { transA: 1 });
			const weighted = graph.op("Mul", [shares, product(dMixed, value, { transB: 1 })]);
			const total = graph.op("ReduceSum", [weighted, graph.ints([-1])]);
			const dScores = graph.op("Sub", [weighted, graph.op("Mul", [shares, total])]);
			const dQuery = product(dScores, key, { alpha });
			const dKey = product(dScores, query, { transA: 1, alpha });
			const dSplit = graph.op("Concat", [dQuery, dKey, dValue], { axis: 0 });
			const dJoint = graph.op("Transpose", [dSplit], { perm: [1, 3, 0, 2, 4] });
			const through = normed.back(joint.back(graph.op("Reshape", [dJoint, graph.ints([-1, 3 * width])])));
			return graph.op("Add", [gradient, through]);
		},
	};
}
