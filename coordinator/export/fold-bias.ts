import { TailtuneError } from "../../shared/errors.ts";

// Far above the rounding error of float32, and far below the error of a head that can't be folded (the size of its
// bias).
const TOLERANCE = 1e-6;

/**
 * Computes the smallest shift of the head's input that replaces its bias: W (x + shift) = W x + bias, so shift = W⁺
 * bias with the pseudo-inverse W⁺ (Golub and Van Loan, Matrix Computations, section 5.5). Computed in float64 by
 * orthonormalizing the rows of W (modified Gram-Schmidt), which unlike W Wᵀ doesn't square the condition number.
 * @param weight [classes, width], row-major
 * @param bias one number per class
 * @returns `width` numbers
 * @throws TailtuneError "model" if the rows are so dependent that no float32 shift replaces the bias
 */
export function foldBias(weight: Float32Array, bias: Float32Array): Float32Array {
	const classes = bias.length;
	const width = weight.length / classes;
	const shift = new Float64Array(width);
	const directions: Float64Array[] = [];
	for (let row = 0; row < classes; row++) {
		const rest = Float64Array.from(weight.subarray(row * width, (row + 1) * width));
		const length = norm(rest);
		for (const direction of directions) addScaled(rest, direction, -dot(rest, direction));
		const left = norm(rest);
		// A linearly dependent row is either redundant or makes the system unsolvable; the check below finds the latter.
		if (left <= 1e-6 * length) continue;
		const direction = rest.map((value) => value / left);
		const wanted = (bias[row] as number) - dot(weight.subarray(row * width, (row + 1) * width), shift);
		addScaled(shift, direction, wanted / left);
		directions.push(direction);
	}
	const rounded = Float32Array.from(shift);
	const off = Math.max(...bias.map((value, row) => dot(weight.subarray(row * width), rounded) - value).map(Math.abs));
	if (!(off <= TOLERANCE * Math.max(1, ...bias.map(Math.abs)))) {
		const message = `score.weight: found dependent rows for ${classes} classes of width ${width}`;
		throw new TailtuneError("model", `${message}, so score.bias can't be folded into the final norm (error ${off})`);
	}
	return rounded;
}

function dot(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
	let sum = 0;
	for (let i = 0; i < b.length; i++) sum += (a[i] as number) * (b[i] as number);
	return sum;
}

function norm(values: Float64Array): number {
	return Math.sqrt(dot(values, values));
}

function addScaled(to: Float64Array, from: Float64Array, factor: number): void {
	for (let i = 0; i < to.length; i++) to[i] = (to[i] as number) + factor * (from[i] as number);
}
