import type { Value } from "./graph-builder.ts";
import { oneRowBackward } from "./one-row-backward.ts";
import { type OneRowInputs, oneRowForward } from "./one-row-forward.ts";
import type { Pass, TailContext } from "./pass.ts";

/**
 * The first half of a block, row + attention(norm(row)), for one row of each text: rows [rows, width] to [texts,
 * width].
 *
 * Keys and values are never computed. Let x be the standardised rows, w and b the norm's scale and shift, W_k and W_v
 * the columns of one head, and q its query. Then q . (W_k^T (w x_t + b)) is (w W_k q) . x_t, plus a term that is the
 * same for all t and has no effect on the softmax. The attention-weighted mean of the values is W_v^T (w m + b), with m
 * the mean of x_t under the same weights. So the key's bias has no gradient.
 */
export function attentionOneRow(context: TailContext, block: number, rows: Value, inputs: OneRowInputs): Pass {
	const forward = oneRowForward(context, block, rows, inputs);
	return {
		value: context.graph.op("Add", [forward.residual.value, forward.projected.value]),
		back: (gradient) => oneRowBackward(context, block, forward, gradient),
	};
}
