import { TailtuneError } from "../../shared/errors.ts";

// What float32 rounding of the result comes to stays far below; a head that really can't be folded is off by its bias.
const TOLERANCE = 1e-6;

/**
 * The smallest shift of the head's input that does what its bias does: W (x + shift) = W x + bias, that is shift = W⁺ bias
 * with W⁺ the pseudo-inverse (Golub and Van Loan, Matrix Computations, section 5.5). In float64, by orthonormalising
 * the rows of W (modified Gram-Schmidt), which unlike W Wᵀ doesn't square the condition.
 * @param weight [classes, width], row-major; `bias` has a number a class
 * @returns a number for each of the width
 * @throws TailtuneError "model" where the rows depend on each other so much that no float32 shift stands for the bias
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
		// A row that is a mix of the ones before asks for nothing new, or for something impossible: told apart below.
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
		throw new TailtuneError("model", `${message}, so that no final norm can carry score.bias (off by ${off})`);
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
