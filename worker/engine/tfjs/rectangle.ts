import * as tf from "@tensorflow/tfjs";

/** Texts padded on the right to one number of rows. */
export interface Rectangle {
	readonly texts: number;
	readonly rows: number;
}

/** Rows of the head's mean: [poolFrom, poolFrom + poolCount). */
export interface Pool {
	readonly poolFrom: number;
	readonly poolCount: number;
}

// Far below any score, and added to one it leaves float32's exp nothing but 0.
const HIDDEN = -1e9;

/** The smallest rectangle that holds texts of those lengths. */
export function rectangleOf(lengths: readonly number[]): Rectangle {
	return { texts: lengths.length, rows: lengths.reduce((most, length) => Math.max(most, length), 0) };
}

/** Rows of numbers, `width` wide, side by side in a rectangle; what is beyond a text's end is 0. [texts * rows, width] */
export function pad(parts: readonly Float32Array[], width: number, { texts, rows }: Rectangle): tf.Tensor2D {
	const values = new Float32Array(texts * rows * width);
	for (const [i, part] of parts.entries()) values.set(part, i * rows * width);
	return tf.tensor2d(values, [texts * rows, width]);
}

/**
 * What is added to the attention scores [texts, heads, rows, rows]. Causal: a row sees itself and those before it, so
 * nothing sees the padding but the padding. Else every row sees all of its text.
 */
export function attentionMask(lengths: readonly number[], causal: boolean, { texts, rows }: Rectangle): tf.Tensor {
	if (causal)
		return tf.tensor4d(
			steps(rows, (row) => row + 1, rows),
			[1, 1, rows, rows],
		);
	return tf.tensor4d(
		steps(texts, (text) => lengths[text] ?? 0, rows),
		[texts, 1, 1, rows],
	);
}

/** What is added to the scores [texts, heads, rows] of one query row a text, which sees the first `seen` rows. */
export function oneRowMask(seen: readonly number[], { texts, rows }: Rectangle): tf.Tensor {
	return tf.tensor3d(
		steps(texts, (text) => seen[text] ?? 0, rows),
		[texts, 1, rows],
	);
}

/** [texts, texts * rows]: multiplied with the rows it gives the mean of each text's pooled ones. */
export function poolMatrix(pools: readonly Pool[], { texts, rows }: Rectangle): tf.Tensor2D {
	const values = new Float32Array(texts * texts * rows);
	for (const [text, { poolFrom, poolCount }] of pools.entries()) {
		const from = text * (texts + 1) * rows + poolFrom;
		values.fill(1 / poolCount, from, from + poolCount);
	}
	return tf.tensor2d(values, [texts, texts * rows]);
}

/** `lines` lines of `length` numbers: 0 up to a line's end, HIDDEN after it. */
function steps(lines: number, endOf: (line: number) => number, length: number): Float32Array {
	const values = new Float32Array(lines * length).fill(HIDDEN);
	for (let line = 0; line < lines; line++) values.fill(0, line * length, line * length + endOf(line));
	return values;
}
