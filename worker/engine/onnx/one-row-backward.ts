import type { Value } from "./graph-builder.ts";
import { type OneRowForward, shapeOperations } from "./one-row-forward.ts";
import type { TailContext } from "./pass.ts";
import { softmaxGradient, sumOfRows, timesTransposed } from "./passes.ts";

/** Gradients of the forward pass's values. */
interface Gradients {
	/** [T, C], before W_v's bias is added; and by head [T, H, D]. */
	readonly dMixed: Value;
	readonly dMixedByHead: Value;
	/** [H, T, C]. */
	readonly dValueInput: Value;
	/** [T, H, C]. */
	readonly dScaledWkQ: Value;
	readonly dWkQ: Value;
	/** [H, T, D], and as rows [T, C]. */
	readonly dQuery: Value;
	readonly dQueryRows: Value;
	/** [T, C]. */
	readonly dQueryInput: Value;
}

/** Adds the backward pass to the graph. @returns the gradient with respect to all rows [rows, width] */
export function oneRowBackward(context: TailContext, block: number, forward: OneRowForward, gradient: Value): Value {
	const { graph } = context;
	const { toHeads, toRows, times, batched, swap, scoresOf } = shapeOperations(context);
	const { w, wScaled, keyWeight, shares } = forward;
	const x = forward.rectangle.value;
	const dMixed = forward.projected.back(gradient);
	const dMixedByHead = toHeads(dMixed);
	const dValueInput = batched(dMixedByHead, forward.valueWeight, { transBatchA: 1, transBatchB: 1, transB: 1 });
	const dMean = times(dValueInput, w); // [H, T, C]
	const dShares = scoresOf(x, dMean);
	const dScores = softmaxGradient(graph, shares, dShares); // [T, H, R]
	const dScaledWkQ = graph.op("MatMul", [dScores, x]);
	const dWkQ = times(dScaledWkQ, wScaled);
	const dQuery = batched(dWkQ, keyWeight, { transBatchA: 1, transBatchB: 1 });
	const dQueryRows = toRows(dQuery);
	const dQueryInput = timesTransposed(graph, dQueryRows, forward.queryWeight);
	const gradients = { dMixed, dMixedByHead, dValueInput, dScaledWkQ, dWkQ, dQuery, dQueryRows, dQueryInput };
	setAttentionGradients(context, `h.${block}.attn.c_attn`, forward, gradients);
	setNormGradients(context, `h.${block}.ln_1`, forward, gradients);

	const fromScores = batched(dScores, swap(forward.scaledWkQ), { transA: 1 }); // [T, R, C]
	const fromMean = batched(shares, swap(dMean), { transA: 1 });
	const dX = forward.rectangle.back(graph.op("Add", [fromScores, fromMean]));
	const dStandard = graph.op("Add", [dX, forward.picked.back(times(dQueryInput, w))]);
	return graph.op("Add", [forward.standard.back(dStandard), forward.residual.back(gradient)]);
}

function setAttentionGradients(context: TailContext, name: string, forward: OneRowForward, gradients: Gradients): void {
	const { graph, heads, width } = context;
	const { batched, swap } = shapeOperations(context);
	const { dMixed, dMixedByHead, dQuery, dQueryRows, dWkQ } = gradients;
	const zeros = graph.filled(0, width);
	const dBias = [sumOfRows(graph, dQueryRows), zeros, sumOfRows(graph, dMixed)];
	context.setGradient(`${name}.bias`, graph.op("Concat", dBias, { axis: 0 }));
	const repeated = graph.op("Expand", [forward.queryInput, graph.ints([heads, 1, 1])]);
	const left = graph.op("Concat", [repeated, swap(dWkQ), swap(forward.valueInput)], { axis: 0 }); // [3 H, T, C]
	const right = graph.op("Concat", [dQuery, swap(forward.query), swap(dMixedByHead)], { axis: 0 }); // [3 H, T, D]
	const dWeight = swap(batched(left, right, { transA: 1 }));
	context.setGradient(`${name}.weight`, dWeight, {
		view: [width, 3 * heads, width / heads],
		factors: [
			{ left: forward.queryInput, right: dQueryRows },
			{ left: dWkQ, right: forward.query },
			{ left: forward.valueInput, right: dMixedByHead },
		],
	});
}

function setNormGradients(context: TailContext, name: string, forward: OneRowForward, gradients: Gradients): void {
	const { graph } = context;
	const { times, swap } = shapeOperations(context);
	const { dValueInput, dScaledWkQ, dQueryInput } = gradients;
	const overHeads = graph.op("Add", [
		times(swap(dValueInput), forward.mean),
		times(times(dScaledWkQ, swap(forward.wkQ)), forward.scale),
	]);
	const fromAllRows = sumOfRows(graph, overHeads, [0, 1]);
	const dScale = graph.op("Add", [fromAllRows, sumOfRows(graph, times(dQueryInput, forward.picked.value))]);
	const dShift = graph.op("Add", [sumOfRows(graph, dValueInput, [0, 1]), sumOfRows(graph, dQueryInput)]);
	context.setGradient(`${name}.weight`, dScale);
	context.setGradient(`${name}.bias`, dShift);
}
