import type { Tensor } from "onnxruntime-node";
import { floats } from "./session.ts";

/** Added to a score that must not count. Finite, so that a row in which nothing counts gets no NaN. */
const MASKED = -3e38;

/** Builds a mask [1, 1, longest, longest]: no row attends to a later one. This hides the padding too. */
export function causalMask(longest: number): Tensor {
	const mask = new Float32Array(longest * longest);
	for (let row = 0; row < longest; row++) mask.fill(MASKED, row * longest + row + 1, (row + 1) * longest);
	return floats(mask, [1, 1, longest, longest]);
}

/** Builds a mask [texts, ...inner, longest] that hides all rows of a text from `counts[text]` on. */
export function paddingMask(counts: readonly number[], longest: number, inner: readonly number[] = [1, 1]): Tensor {
	const mask = new Float32Array(counts.length * longest);
	for (const [text, count] of counts.entries()) mask.fill(MASKED, text * longest + count, (text + 1) * longest);
	return floats(mask, [counts.length, ...inner, longest]);
}
