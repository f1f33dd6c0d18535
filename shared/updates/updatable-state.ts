import { type AdamWScalars, stepAdamW } from "../vectors/adamw.ts";
import { allocateVectors } from "../vectors/allocate-vectors.ts";
import { writeOuterProducts } from "../vectors/outer-products.ts";
import { CombinedGradient, type TextsGradient } from "./combine.ts";
import { denseViews, factorViews, type GradientForm, gradientLength, outerProductsOf } from "./gradient-form.ts";

/** One optimizer step, as sent to workers. */
export interface Update extends TextsGradient {
	/** Version of the parameters after this step: the number of steps taken. */
	readonly version: number;
	readonly scalars: AdamWScalars;
}

/** The trainable parameters and AdamW's moments. */
export interface StateVectors {
	/** The trained ones first. */
	readonly parameters: Float32Array;
	/** One number per trained parameter. */
	readonly firstMoment: Float32Array;
	readonly secondMoment: Float32Array;
}

/**
 * Parameters and moments, and the working memory to apply updates to them. Coordinator and workers apply the same
 * updates in the same order with this class. All operations are rounded separately, so their states have the same bits
 * on every machine.
 */
export class UpdatableState implements StateVectors {
	readonly parameters: Float32Array;
	readonly firstMoment: Float32Array;
	readonly secondMoment: Float32Array;
	/** For the gradient of a step, and for gradients of parts; in the memory in which kernels compute. */
	readonly update: Float32Array;
	readonly received: readonly Float32Array[];
	readonly form: GradientForm;
	/** The gradient of all trained parameters, or of the largest weight that some parts send as factors. */
	readonly #gradient: Float32Array;

	/**
	 * @param size numbers of the parameter vector
	 * @param texts most texts per optimizer step
	 * @param received number of arrays for the gradients of parts; default: 0
	 */
	constructor(form: GradientForm, size: number, texts: number, received = 0) {
		const { trainedSize } = form;
		const length = gradientLength(form, texts);
		const [parameters, firstMoment, secondMoment, gradient, update, ...others] = allocateVectors(
			...[size, trainedSize, trainedSize, countProducts(form), length],
			...new Array<number>(received).fill(length),
		);
		this.parameters = parameters as Float32Array;
		this.firstMoment = firstMoment as Float32Array;
		this.secondMoment = secondMoment as Float32Array;
		this.#gradient = gradient as Float32Array;
		this.update = update as Float32Array;
		this.received = others;
		this.form = form;
	}

	/**
	 * Begins to combine the gradients of a step's parts, in `update`.
	 * @param threads threads that compute; the result doesn't depend on it
	 */
	combine(texts: number, threads: number): CombinedGradient {
		const gradient = this.update.subarray(0, gradientLength(this.form, texts));
		return new CombinedGradient({ form: this.form, texts, gradient, products: this.#gradient, threads });
	}

	/**
	 * Takes one step: multiplies the factors out in the order of the texts, and applies AdamW.
	 * @param threads threads that compute; the result doesn't depend on it
	 * @returns whether the gradient and its square were finite; if not, the state is unusable
	 */
	apply(update: Update, threads: number): boolean {
		const { gradient, texts, scalars } = update;
		const isDense = this.form.factors.length === 0;
		const trained = isDense ? this.#inKernelMemory(gradient) : this.#multiplyOut(gradient, texts, threads);
		if (scalars.decay === scalars.vectorDecay) return stepAdamW(this.parameters, trained, this, scalars, threads);
		return this.#stepByGroup(trained, scalars, threads);
	}

	#stepByGroup(gradient: Float32Array, scalars: AdamWScalars, threads: number): boolean {
		const { decay, vectorDecay } = scalars;
		let isUsable = true;
		for (const { offset, size, isMatrix } of this.form.decayGroups) {
			const own = (vector: Float32Array) => vector.subarray(offset, offset + size);
			const moments = { firstMoment: own(this.firstMoment), secondMoment: own(this.secondMoment) };
			const factors = { ...scalars, decay: isMatrix ? decay : vectorDecay };
			isUsable = stepAdamW(own(this.parameters), own(gradient), moments, factors, threads) && isUsable;
		}
		return isUsable;
	}

	#multiplyOut(update: Float32Array, texts: number, threads: number): Float32Array {
		const dense = denseViews(this.form, update);
		for (const { name, offset } of this.form.dense) this.#gradient.set(dense.get(name) ?? [], offset);
		const factors = factorViews(this.form, update, texts);
		writeOuterProducts(
			factors.flatMap((each) => outerProductsOf(each, texts, this.#gradient, 0)),
			threads,
		);
		return this.#gradient;
	}

	/** Kernels are faster if all their vectors lie in the same memory. */
	#inKernelMemory(gradient: Float32Array): Float32Array {
		if (gradient.buffer === this.update.buffer) return gradient;
		this.update.set(gradient);
		return this.update;
	}
}

/** Returns the numbers computed from factors at a time: all trained ones, or one weight that parts have as factors. */
function countProducts({ factors, dense, ofFewTexts, trainedSize }: GradientForm): number {
	if (factors.length > 0) return trainedSize;
	const names = new Set(ofFewTexts?.factors.map(({ name }) => name));
	return Math.max(0, ...dense.filter(({ name }) => names.has(name)).map(({ size }) => size));
}
