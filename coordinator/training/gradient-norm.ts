import type { TextsGradient } from "../../shared/updates/combine.ts";
import { noRows, rowNumbers } from "../../shared/updates/embedding-rows.ts";
import { denseViews, type Factors, factorViews, type GradientForm } from "../../shared/updates/gradient-form.ts";

/** Is added to the norm before the limit is divided by it, as in torch.nn.utils.clip_grad_norm_. */
const NORM_EPSILON = 1e-6;

/**
 * Returns the factor that scales a gradient down to a limit of its norm; 1 if it is shorter.
 * @param clip the limit; unset: there is none
 */
export function clipScale(clip: number | undefined, form: GradientForm, gradient: TextsGradient): number {
	if (clip === undefined) return 1;
	return Math.min(1, clip / (gradientNorm(form, gradient) + NORM_EPSILON));
}

/**
 * Returns the Euclidean norm of a gradient of all trained parameters, from its form: products of factors aren't
 * multiplied out. Sums are taken in float64 in a fixed order, so that the bits are the same on every machine.
 */
export function gradientNorm(form: GradientForm, { gradient, texts, rows = noRows }: TextsGradient): number {
	const { tokens = 0, width = 0 } = form.table ?? {};
	const numbers = rowNumbers(form, gradient, texts);
	const ofTokens = rows.filter((row) => row < tokens).length * width;
	let sum = sumSquares(numbers.subarray(0, ofTokens)) + sumSquares(numbers.subarray(ofTokens));
	for (const range of denseViews(form, gradient).values()) sum += sumSquares(range);
	for (const factors of factorViews(form, gradient, texts)) sum += squaredNormOfProducts(factors, texts);
	return Math.sqrt(sum);
}

/** The square of the norm of the sum of outer products l_i r_i is the sum over i and j of (l_i . l_j) (r_i . r_j). */
function squaredNormOfProducts({ block, left, right }: Factors, texts: number): number {
	const { heads, rows, columns } = block;
	let sum = 0;
	for (let head = 0; head < heads; head++) {
		const lefts = dotProducts({ numbers: left, from: head * rows, stride: heads * rows, length: rows, count: texts });
		const ofRight = { from: head * columns, stride: heads * columns, length: columns };
		const rights = dotProducts({ numbers: right, ...ofRight, count: texts });
		for (const [pair, product] of lefts.entries()) {
			const isTwice = pair % texts < Math.floor(pair / texts);
			sum += (isTwice ? 2 : 1) * product * (rights[pair] as number);
		}
	}
	// Rounding may leave a sum just below 0 if the products cancel out.
	return Math.max(0, sum);
}

/** Several vectors in one array: number i of vector v is at numbers[from + v * stride + i]. */
interface Vectors {
	readonly numbers: Float32Array;
	readonly from: number;
	readonly stride: number;
	readonly length: number;
	readonly count: number;
}

/** Numbers of each vector that are taken at a time, so that those of all vectors stay in the processor's cache. */
const CHUNK = 512;

/** Returns the product of vectors i and j at i * count + j for j up to i; the others are 0. */
function dotProducts(vectors: Vectors): Float64Array {
	const { numbers: x, from, stride, length, count } = vectors;
	const products = new Float64Array(count * count);
	for (let start = 0; start < length; start += CHUNK) {
		const end = Math.min(start + CHUNK, length);
		for (let i = 0; i < count; i++) {
			const at = from + i * stride;
			// Four at a time: one sum alone would wait for each addition. The last ones may be the same vector.
			for (let j = 0; j <= i; j += 4) {
				const [b, c, d] = [j + 1, j + 2, j + 3].map((k) => from + Math.min(k, i) * stride) as [number, number, number];
				const a = from + j * stride;
				let [sumA, sumB, sumC, sumD] = [0, 0, 0, 0];
				for (let k = start; k < end; k++) {
					const number = x[at + k] as number;
					sumA += number * (x[a + k] as number);
					sumB += number * (x[b + k] as number);
					sumC += number * (x[c + k] as number);
					sumD += number * (x[d + k] as number);
				}
				for (const [k, sum] of [sumA, sumB, sumC, sumD].entries())
					if (j + k <= i) products[i * count + j + k] = (products[i * count + j + k] as number) + sum;
			}
		}
	}
	return products;
}

/**
 * Returns the sum of squares, in four sums: one alone would wait for each addition. The loop never reads after the end,
 * because that would make all its reads three times as slow.
 */
function sumSquares(x: Float32Array): number {
	let [a, b, c, d] = [0, 0, 0, 0];
	const whole = x.length - (x.length % 4);
	for (let i = 0; i < whole; i += 4) {
		a += square(x[i] as number);
		b += square(x[i + 1] as number);
		c += square(x[i + 2] as number);
		d += square(x[i + 3] as number);
	}
	a += square(x[whole] ?? 0);
	b += square(x[whole + 1] ?? 0);
	c += square(x[whole + 2] ?? 0);
	return a + b + (c + d);
}

function square(number: number): number {
	return number * number;
}
