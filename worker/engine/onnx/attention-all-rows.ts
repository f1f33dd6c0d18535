import { attentionScale } from "../../../shared/model/variant.ts";
import type { Value } from "./graph-builder.ts";
import type { AttentionIndices } from "./packed-rows.ts";
import type { Pass, TailContext } from "./pass.ts";
import { linearPass, normPass, softmaxGradient } from "./passes.ts";

/**
 * The first half of a block, rows + attention(norm(rows)), for all rows [rows, width].
 * @param real [texts, 1, longest, 1]: 1 for a row of the text, 0 for padding
 */
export function attentionAllRows(
	context: TailContext,
	block: number,
	rows: Value,
	{ qkv, merged, unpacked, mask }: AttentionIndices,
	real: Value,
): Pass {
	const { graph, heads, width } = context;
	const headWidth = width / heads;
	const product = (a: Value, b: Value, how: Record<string, number | { float: number }> = {}) =>
		graph.op("FusedMatMul", [a, b], how);
	const alpha = { float: attentionScale(context.config, block) };
	const byHead = (value: Value) => graph.op("Reshape", [value, graph.ints([-1, headWidth])]);
	/** [texts, heads, longest, head width] to rows [rows, width]. */
	const toRows = (value: Value) =>
		graph.op("Reshape", [graph.op("Gather", [byHead(value), unpacked]), graph.ints([-1, width])]);

	const normed = normPass(context, `h.${block}.ln_1`, rows);
	const joint = linearPass(context, `h.${block}.attn.c_attn`, normed.value);
	const jointByHead = byHead(joint.value);
	const [query, key, value] = qkv.map((index) => graph.op("Gather", [jointByHead, index])) as [Value, Value, Value];
	const scores = graph.op("Add", [product(query, key, { transB: 1, alpha }), mask]);
	const shares = graph.op("Softmax", [scores], { axis: -1 });
	const projected = linearPass(context, `h.${block}.attn.c_proj`, toRows(product(shares, value)));

	return {
		value: graph.op("Add", [rows, projected.value]),
		back(gradient) {
			// The padding holds numbers of arbitrary rows: their gradient is set to 0.
			const gathered = graph.op("Gather", [byHead(projected.back(gradient)), merged]);
			const dMixed = graph.op("Mul", [gathered, real]);
			const dValue = product(shares, dMixed, { transA: 1 });
			const dScores = softmaxGradient(graph, shares, product(dMixed, value, { transB: 1 }));
			const dQuery = product(dScores, key, { alpha });
			const dKey = product(dScores, query, { transA: 1, alpha });
			const dJoint = graph.op("Concat", [dQuery, dKey, dValue].map(toRows), { axis: 1 });
			return graph.op("Add", [gradient, normed.back(joint.back(dJoint))]);
		},
	};
}
