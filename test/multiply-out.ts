import type { TextsGradient } from "../shared/updates/combine.ts";
import { noRows, rowNumbers, rowsOfTexts } from "../shared/updates/embedding-rows.ts";
import { denseViews, factorViews, type GradientForm, gradientLength } from "../shared/updates/gradient-form.ts";

/** Allocates the gradient of some inputs of a tail, filled with NaN. */
export function allocateGradient(form: GradientForm, inputs: readonly { readonly tokens: Uint32Array }[]) {
	const rows = rowsOfTexts(form, inputs);
	const gradient = new Float32Array(gradientLength(form, inputs.length, rows.length)).fill(Number.NaN);
	return { gradient, texts: inputs.length, rows };
}

/** Returns a gradient in the order of the layout. Products of factors are summed in float64. */
export function multiplyOut(form: GradientForm, { gradient, texts, rows = noRows }: TextsGradient): Float32Array {
	const sum = new Float64Array(form.trainedSize);
	const dense = denseViews(form, gradient);
	for (const { name, offset } of form.dense) sum.set(dense.get(name) ?? [], offset);
	const { width = 0 } = form.table ?? {};
	const numbers = rowNumbers(form, gradient, texts);
	for (const [i, row] of rows.entries()) sum.set(numbers.subarray(i * width, (i + 1) * width), row * width);
	for (const { block, left, right } of factorViews(form, gradient, texts)) {
		const { heads, rows, columns, offset, stride } = block;
		for (let head = 0; head < texts * heads; head++) {
			for (let row = 0; row < rows; row++) {
				const factor = left[head * rows + row] as number;
				const from = offset + row * stride + (head % heads) * columns;
				for (let column = 0; column < columns; column++) {
					sum[from + column] = (sum[from + column] as number) + factor * (right[head * columns + column] as number);
				}
			}
		}
	}
	return Float32Array.from(sum);
}
