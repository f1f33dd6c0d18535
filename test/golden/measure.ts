import type { Columns } from "./golden-format.ts";

/** One comparison: the difference found and the allowed one, both at least 0. */
export interface Measurement {
	readonly what: string;
	readonly found: number;
	readonly allowed: number;
}

/** Returns the difference as a share of the allowed one; above 1 fails, and NaN counts as infinite. */
export function usedShare({ found, allowed }: Measurement): number {
	if (found === 0) return 0;
	const share = found / allowed;
	return Number.isNaN(share) ? Number.POSITIVE_INFINITY : share;
}

/** A stored tensor and the computed one. */
export interface Pair {
	/** `stored[i]` stands for `full[i * step]`. */
	readonly stored: Float32Array;
	readonly full: Float32Array;
	readonly step: number;
	/** Length of the last dimension. */
	readonly width: number;
	/** Columns left out. */
	readonly noise: Columns | undefined;
}

/** Yields each stored number with the computed one, without noise columns. @throws Error if their counts differ */
export function* pairsOf({ stored, full, step, width, noise }: Pair): Generator<[stored: number, own: number]> {
	const expected = Math.ceil(full.length / step);
	if (stored.length !== expected) throw new Error(`found ${stored.length} stored numbers, expected ${expected}`);
	for (let i = 0; i < stored.length; i++) {
		if (!isNoise((i * step) % width, noise)) yield [stored[i] as number, full[i * step] as number];
	}
}

/** Returns the largest absolute value in the noise columns. */
export function largestNoise(full: Float32Array, width: number, noise: Columns | undefined): number {
	return full.reduce((most, value, i) => (isNoise(i % width, noise) ? larger(most, Math.abs(value)) : most), 0);
}

/** Computes sum, sum of absolute values, root of the sum of squares, and count of the numbers outside noise columns. */
export function statsOf(full: Float32Array, width: number, noise: Columns | undefined) {
	let [sum, absolute, squares, count] = [0, 0, 0, 0];
	for (const [i, value] of full.entries()) {
		if (isNoise(i % width, noise)) continue;
		sum += value;
		absolute += Math.abs(value);
		squares += value * value;
		count++;
	}
	return { stats: [sum, absolute, Math.sqrt(squares)] as const, count };
}

/** Returns the larger number, or NaN if either is NaN. */
export function larger(a: number, b: number): number {
	return Number.isNaN(b) || b > a ? b : a;
}

/**
 * Returns the largest difference of two arrays, relative to the largest expected number; NaN if a number is missing.
 * @param from index of the first number that is compared
 */
export function relativeGap(found: Float32Array, expected: Float32Array, from = 0): number {
	const largest = expected.reduce((most, value) => larger(most, Math.abs(value)), 0);
	const gap = expected.reduce(
		(most, value, i) => (i < from ? most : larger(most, Math.abs(value - (found[i] ?? Number.NaN)))),
		0,
	);
	return gap === 0 ? 0 : gap / largest;
}

function isNoise(column: number, noise: Columns | undefined): boolean {
	return noise !== undefined && column >= noise[0] && column < noise[1];
}
