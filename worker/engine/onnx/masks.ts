import type { Tensor } from "onnxruntime-node";
import { floats } from "./session.ts";

/** Added to a score that must not count. Finite, so that a row where nothing counts stays free of NaN. */
const MASKED = -3e38;

/** [1, 1, longest, longest]: no row sees a later one, which hides the padding too. */
export function causalMask(longest: number): Tensor {
	const mask = new Float32Array(longest * longest);
	for (let row = 0; row < longest; row++) mask.fill(MASKED, row * longest + row + 1, (row + 1) * longest);
	return floats(mask, [1, 1, longest, longest]);
}

/** [texts, ...inner, longest]: of each text only so many rows are seen. */
export function paddingMask(seen: readonly number[], longest: number, inner: readonly number[] = [1, 1]): Tensor {
	const mask = new Float32Array(seen.length * longest);
	for (const [text, rows] of seen.entries()) mask.fill(MASKED, text * longest + rows, (text + 1) * longest);
	return floats(mask, [seen.length, ...inner, longest]);
}
