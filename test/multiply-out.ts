import { denseViews, factorViews, type GradientForm } from "../shared/updates/gradient-form.ts";

/** Returns a gradient of some texts in the order of the layout. Products of factors are summed in float64. */
export function multiplyOut(form: GradientForm, gradient: Float32Array, texts: number): Float32Array {
	const sum = new Float64Array(form.trainedSize);
	const dense = denseViews(form, gradient);
	for (const { name, offset } of form.dense) sum.set(dense.get(name) ?? [], offset);
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
