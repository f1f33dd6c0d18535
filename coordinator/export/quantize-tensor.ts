/** Added to each number, because products of unsigned weights are exact on every processor. */
const ZERO = 128;
const LARGEST = 127;

/** A matrix in 8 bits: value = scale × (number - 128). */
export interface QuantizedTensor {
	/** 1 to 255, in the order of the values. */
	readonly numbers: Uint8Array;
	readonly scales: Float32Array;
}

/**
 * Quantizes a matrix, with one scale per row or per column. The error of a value is at most half its scale.
 * @param values [rows, columns], row-major
 * @param by "rows" for embeddings, "columns" for layers, which are stored as [in, out]
 */
export function quantizeTensor(values: Float32Array, columns: number, by: "rows" | "columns"): QuantizedTensor {
	const scaleOf = by === "rows" ? (place: number) => Math.floor(place / columns) : (place: number) => place % columns;
	const scales = new Float32Array(by === "rows" ? values.length / columns : columns);
	for (const [place, value] of values.entries()) {
		const scale = scaleOf(place);
		scales[scale] = Math.max(scales[scale] as number, Math.abs(value));
	}
	// With values too small for a scale, all numbers are 128, whatever the scale is.
	for (const [index, largest] of scales.entries()) scales[index] = Math.fround(largest / LARGEST) || 1;
	const numbers = new Uint8Array(values.length);
	for (const [place, value] of values.entries()) {
		const number = Math.round(value / (scales[scaleOf(place)] as number));
		numbers[place] = ZERO + Math.max(-LARGEST, Math.min(LARGEST, number));
	}
	return { numbers, scales };
}
