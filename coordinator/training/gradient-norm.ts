import { denseViews, type Factors, factorViews, type GradientForm } from "../../shared/updates/gradient-form.ts";

/** Is added to the norm before the limit is divided by it, as in torch.nn.utils.clip_grad_norm_. */
const NORM_EPSILON = 1e-6;

/**
 * Returns the factor that scales a gradient down to a limit of its norm; 1 if it is shorter.
 * @param clip the limit; unset: there is none
 * @param gradient of `texts` texts, in a form
 */
export function clipScale(clip: number | undefined, form: GradientForm, gradient: Float32Array, texts: number): number {
	if (clip === undefined) return 1;
	return Math.min(1, clip / (gradientNorm(form, gradient, texts) + NORM_EPSILON));
}

/**
 * Returns the Euclidean norm of a gradient of all trained parameters, from its form: products of factors aren't
 * multiplied out. Sums are taken in float64 in a fixed order, so that the bits are the same on every machine.
 */
export function gradientNorm(form: GradientForm, gradient: Float32Array, texts: number): number {
	let sum = 0;
	for (const range of denseViews(form, gradient).values()) sum += dot(range, range, 0, 0, range.length);
	for (const factors of factorViews(form, gradient, texts)) sum += squaredNormOfProducts(factors, texts);
	return Math.sqrt(sum);
}

/** The square of the norm of the sum of outer products l_i r_i is the sum over i and j of (l_i . l_j) (r_i . r_j). */
function squaredNormOfProducts({ block, left, right }: Factors, texts: number): number {
	const { heads, rows, columns } = block;
	let sum = 0;
	for (let head = 0; head < heads; head++) {
		for (let i = 0; i < texts; i++) {
			for (let j = 0; j <= i; j++) {
				const [a, b] = [i * heads + head, j * heads + head];
				const product =
					dot(left, left, a * rows, b * rows, rows) * dot(right, right, a * columns, b * columns, columns);
				sum += i === j ? product : 2 * product;
			}
		}
	}
	// Rounding may leave a sum just below 0 if the products cancel out.
	return sum < 0 ? 0 : sum;
}

/** Adds products of two ranges, four sums side by side: one sum would wait for each addition. */
function dot(x: Float32Array, y: Float32Array, fromX: number, fromY: number, length: number): number {
	let [a, b, c, d] = [0, 0, 0, 0];
	let i = 0;
	for (; i + 4 <= length; i += 4) {
		a += (x[fromX + i] as number) * (y[fromY + i] as number);
		b += (x[fromX + i + 1] as number) * (y[fromY + i + 1] as number);
		c += (x[fromX + i + 2] as number) * (y[fromY + i + 2] as number);
		d += (x[fromX + i + 3] as number) * (y[fromY + i + 3] as number);
	}
	for (; i < length; i++) a += (x[fromX + i] as number) * (y[fromY + i] as number);
	return a + b + (c + d);
}
