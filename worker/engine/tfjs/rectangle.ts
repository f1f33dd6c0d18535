import * as tf from "@tensorflow/tfjs";

/** Texts padded on the right to the same number of rows. */
export interface Rectangle {
	readonly texts: number;
	readonly rows: number;
}

/** The rows of a text that the head takes the mean of: [poolFrom, poolFrom + poolCount). */
export interface Pool {
	readonly poolFrom: number;
	readonly poolCount: number;
}

// Far below any score: the softmax gives exactly 0 in float32.
const HIDDEN = -1e9;

/** Returns the smallest rectangle for texts of these lengths. */
export function rectangleOf(lengths: readonly number[]): Rectangle {
	return { texts: lengths.length, rows: lengths.reduce((most, length) => Math.max(most, length), 0) };
}

/** Copies texts [own rows, width] into a rectangle, padded with 0. @returns [texts * rows, width] */
export function pad(parts: readonly Float32Array[], width: number, { texts, rows }: Rectangle): tf.Tensor2D {
	const values = new Float32Array(texts * rows * width);
	for (const [i, part] of parts.entries()) values.set(part, i * rows * width);
	return tf.tensor2d(values, [texts * rows, width]);
}

/**
 * Builds the mask that is added to the attention scores [texts, heads, rows, rows]. Causal: a row attends to itself and
 * earlier rows, so only padding attends to padding. Otherwise every row attends to its whole text.
 */
export function attentionMask(lengths: readonly number[], causal: boolean, { texts, rows }: Rectangle): tf.Tensor {
	if (causal)
		return tf.tensor4d(
			maskLines(rows, (row) => row + 1, rows),
			[1, 1, rows, rows],
		);
	return tf.tensor4d(
		maskLines(texts, (text) => lengths[text] ?? 0, rows),
		[texts, 1, 1, rows],
	);
}

/**
 * Builds the mask for scores [texts, heads, rows] of one query row per text, which attends to the first `counts` rows.
 */
export function oneRowMask(counts: readonly number[], { texts, rows }: Rectangle): tf.Tensor {
	return tf.tensor3d(
		maskLines(texts, (text) => counts[text] ?? 0, rows),
		[texts, 1, rows],
	);
}

/** Builds a matrix [texts, texts * rows] whose product with the rows is the mean of each text's pooled rows. */
export function poolMatrix(pools: readonly Pool[], { texts, rows }: Rectangle): tf.Tensor2D {
	const values = new Float32Array(texts * texts * rows);
	for (const [text, { poolFrom, poolCount }] of pools.entries()) {
		const from = text * (texts + 1) * rows + poolFrom;
		values.fill(1 / poolCount, from, from + poolCount);
	}
	return tf.tensor2d(values, [texts, texts * rows]);
}

/** Returns `lines` lines of `length` numbers: 0 up to `endOf(line)`, then HIDDEN. */
function maskLines(lines: number, endOf: (line: number) => number, length: number): Float32Array {
	const values = new Float32Array(lines * length).fill(HIDDEN);
	for (let line = 0; line < lines; line++) values.fill(0, line * length, line * length + endOf(line));
	return values;
}
