import type { Value } from "./graph-builder.ts";
import { linear, type Pass, standardise, sumOfRows, type TailContext, timesTransposed } from "./passes.ts";

/** Which rows the one query of each text sees, and which row asks. */
export interface OneRowInputs {
	/** [texts, 1, longest]: added to the scores. */
	readonly mask: Value;
	/** Rows [rows, width] to the rectangle [texts, longest, width]. */
	readonly intoRectangle: (rows: Value) => Pass;
	/** Rows [rows, width] to those that ask [texts, width]. */
	readonly pick: (rows: Value) => Pass;
}

/**
 * The first half of a block, row + attention(norm(row)), for one row of each text: rows [rows, width] to [texts, width].
 *
 * Keys and values are never formed. With x the standardised rows, w and b the norm's scale and shift, W_k and W_v one
 * head's columns and q its query: q . (W_k^T (w x_t + b)) is, but for a part that is the same for all t and drops out of
 * the softmax, (w W_k q) . x_t; and the attention-weighted mean of the values is W_v^T (w m + b) with m that mean of x_t.
 * So the key's bias has no gradient.
 */
export function attentionOneRow(context: TailContext, block: string, rows: Value, inputs: OneRowInputs): Pass {
	const { graph, heads, width } = context;
	const name = `${block}.attn.c_attn`;
	const asHeads = (rows: Value) => graph.op("Reshape", [rows, graph.ints([-1, heads, width / heads])]);
	const asRows = (parts: Value) => graph.op("Reshape", [swap(parts), graph.ints([-1, width])]);
	const swap = (value: Value) => graph.op("Transpose", [value], { perm: [1, 0, 2] });
	const times = (a: Value, b: Value) => graph.op("Mul", [a, b]);
	const batched = (a: Value, b: Value, how: Record<string, number>) => graph.op("FusedMatMul", [a, b], how);

	// Forward. [T] stands for texts, [R] for rows of a text, [H] for heads, [D] for a head's width, [C] for the width.
	const standard = standardise(context, rows);
	const rectangle = inputs.intoRectangle(standard.value);
	const x = rectangle.value; // [T, R, C]
	// With the rows on the left: the other way round the bits would depend on the number of threads.
	const against = (parts: Value) =>
		graph.op("Transpose", [batched(x, parts, { transBatchB: 1, transB: 1 })], { perm: [0, 2, 1] });
	const picked = inputs.pick(standard.value);
	const own = picked.value; // [T, C]
	const [scale, shift] = [context.weight(`${block}.ln_1.weight`), context.weight(`${block}.ln_1.bias`)];
	const scaled = times(scale, graph.float(Math.sqrt(heads / width)));
	const asking = graph.op("Add", [times(own, scale), shift]);
	const weights = graph.ops("Split", [context.weight(`${name}.weight`)], 3, { axis: 1, num_outputs: 3 });
	const biases = graph.ops("Split", [context.weight(`${name}.bias`)], 3, { axis: 0, num_outputs: 3 });
	const [queryWeight = "", keyWeight = "", valueWeight = ""] = weights;
	const [keyParts, valueParts] = [asHeads(keyWeight), asHeads(valueWeight)]; // [C, H, D]
	const query = asHeads(graph.op("Gemm", [asking, queryWeight, biases[0] ?? ""])); // [T, H, D]
	const pulled = batched(query, keyParts, { transBatchA: 1, transBatchB: 1, transB: 1 }); // [H, T, C]
	const into = times(pulled, scaled);
	const scores = against(into); // [T, H, R]
	const shares = graph.op("Softmax", [graph.op("Add", [scores, inputs.mask])], { axis: -1 });
	const mean = graph.op("MatMul", [shares, x]); // [T, H, C]
	const seen = graph.op("Add", [times(mean, scale), shift]);
	const mixed = asRows(batched(seen, valueParts, { transBatchA: 1, transBatchB: 1 })); // [T, C]
	const projected = linear(context, `${block}.attn.c_proj`, graph.op("Add", [mixed, biases[2] ?? ""]));

	const asker = inputs.pick(rows);

	return {
		value: graph.op("Add", [asker.value, projected.value]),
		back(gradient) {
			const dMixed = projected.back(gradient);
			const dParts = asHeads(dMixed); // [T, H, D]
			const dSeen = batched(dParts, valueParts, { transBatchA: 1, transBatchB: 1, transB: 1 }); // [H, T, C]
			const dMean = times(dSeen, scale);
			const dShares = against(dMean); // [T, H, R]
			const weighted = times(shares, dShares);
			const total = graph.op("ReduceSum", [weighted, graph.ints([-1])]);
			const dScores = graph.op("Sub", [weighted, times(shares, total)]);
			const dInto = graph.op("MatMul", [dScores, x]); // [T, H, C]
			const dPulled = times(dInto, scaled);
			const dQuery = batched(dPulled, keyParts, { transBatchA: 1, transBatchB: 1 }); // [H, T, D]
			const dAsked = asRows(dQuery);
			const dAsking = timesTransposed(graph, dAsked, queryWeight);

			const zeros = graph.filled(0, width);
			const dBias = [sumOfRows(graph, dAsked), zeros, sumOfRows(graph, dMixed)];
			context.gradient(`${name}.bias`, graph.op("Concat", dBias, { axis: 0 }));
			const repeated = graph.op("Expand", [asking, graph.ints([heads, 1, 1])]);
			const left = graph.op("Concat", [repeated, swap(dPulled), swap(seen)], { axis: 0 }); // [3 H, T, C]
			const right = graph.op("Concat", [dQuery, swap(query), swap(dParts)], { axis: 0 }); // [3 H, T, D]
			context.gradient(`${name}.weight`, swap(batched(left, right, { transA: 1 })), [width, 3 * heads, width / heads]);
			const overHeads = graph.op("Add", [
				times(swap(dSeen), mean),
				times(times(dInto, swap(pulled)), graph.float(Math.sqrt(heads / width))),
			]);
			const dScale = graph.op("Add", [sumOfRows(graph, overHeads, [0, 1]), sumOfRows(graph, times(dAsking, own))]);
			const dShift = graph.op("Add", [sumOfRows(graph, dSeen, [0, 1]), sumOfRows(graph, dAsking)]);
			context.gradient(`${block}.ln_1.weight`, dScale);
			context.gradient(`${block}.ln_1.bias`, dShift);

			const fromScores = batched(dScores, swap(into), { transA: 1 }); // [T, R, C]
			const fromMean = batched(shares, swap(dMean), { transA: 1 });
			const dSeenRows = rectangle.back(graph.op("Add", [fromScores, fromMean]));
			const dStandard = graph.op("Add", [dSeenRows, picked.back(times(dAsking, scale))]);
			return graph.op("Add", [standard.back(dStandard), asker.back(gradient)]);
		},
	};
}
