import type { TailSpec } from "../../shared/messages.ts";
import type { TailInput } from "./engine.ts";

/** The gradient of a batch's mean loss with respect to the logits is share * (activation - target), row by row. */
export interface LossRows {
	/** [texts, classes] */
	readonly target: Float32Array;
	/** [texts] */
	readonly share: Float32Array;
}

/**
 * Returns the targets and shares of a batch. The gradient of -sum_c t_c log softmax_c is T (softmax - t / T), with T
 * the sum of t; that of the mean binary cross-entropy is (sigmoid - t) / classes.
 */
export function lossRows(inputs: readonly TailInput[], { classes, loss }: TailSpec): LossRows {
	const texts = inputs.length;
	const target = new Float32Array(texts * classes);
	const share = new Float32Array(texts).fill(1 / (texts * classes));
	for (const [text, { targets }] of inputs.entries()) {
		const total = loss?.multiLabel ? 1 : targets.reduce((sum, value) => sum + value, 0);
		for (const [c, value] of targets.entries()) target[text * classes + c] = value / total;
		if (!loss?.multiLabel) share[text] = total / texts;
	}
	return { target, share };
}
