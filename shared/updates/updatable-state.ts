import { type AdamWScalars, stepAdamW } from "../vectors/adamw.ts";
import { allocateVectors } from "../vectors/allocate-vectors.ts";
import { writeOuterProducts } from "../vectors/outer-products.ts";
import { CombinedGradient, type TextsGradient } from "./combine.ts";
import { noRows, rowNumbers, TableGradient } from "./embedding-rows.ts";
import {
	type DecayGroup,
	denseViews,
	factorViews,
	type GradientForm,
	gradientLength,
	outerProductsOf,
	tableSize,
} from "./gradient-form.ts";

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
	/** The gradient of the embedding tables, if they are trained. */
	readonly #table: TableGradient | undefined;
	/** The gradient of all other trained parameters, or of the largest weight that some parts send as factors. */
	readonly #gradient: Float32Array;

	/**
	 * @param size numbers of the parameter vector
	 * @param texts most texts per optimizer step
	 * @param received number of arrays for the gradients of parts; default: 0
	 */
	constructor(form: GradientForm, size: number, texts: number, received = 0) {
		const { trainedSize } = form;
		const length = gradientLength(form, texts, form.table?.count);
		const [parameters, firstMoment, secondMoment, table, gradient, update, ...others] = allocateVectors(
			...[size, trainedSize, trainedSize, tableSize(form), countProducts(form), length],
			...new Array<number>(received).fill(length),
		);
		this.parameters = parameters as Float32Array;
		this.firstMoment = firstMoment as Float32Array;
		this.secondMoment = secondMoment as Float32Array;
		this.#table = form.table && new TableGradient(table as Float32Array, form.table.width);
		this.#gradient = gradient as Float32Array;
		this.update = update as Float32Array;
		this.received = others;
		this.form = form;
	}

	/**
	 * Begins to combine the gradients of a step's parts, in `update`.
	 * @param threads threads that compute; the result doesn't depend on it
	 * @param rows rows of the embedding tables that any part has; default: none
	 */
	combine(texts: number, threads: number, rows: Uint32Array = noRows): CombinedGradient {
		const gradient = this.update.subarray(0, gradientLength(this.form, texts, rows.length));
		return new CombinedGradient({ form: this.form, texts, rows, gradient, products: this.#gradient, threads });
	}

	/**
	 * Takes one step: multiplies the factors out in the order of the texts, and applies AdamW.
	 * @param threads threads that compute; the result doesn't depend on it
	 * @returns whether the gradient and its square were finite; if not, the state is unusable
	 */
	apply(update: Update, threads: number): boolean {
		const { gradient, texts, rows = noRows, scalars } = update;
		const { form } = this;
		this.#table?.write(rows, rowNumbers(form, gradient, texts));
		const others =
			form.factors.length === 0
				? this.#inKernelMemory(gradient).subarray(0, form.denseSize)
				: this.#multiplyOut(gradient, texts, threads);
		const start = tableSize(form);
		let isUsable = true;
		for (const group of this.#groupsFor(scalars)) {
			const { offset, size } = group;
			const from = offset < start ? offset : offset - start;
			const own = (offset < start ? (this.#table?.numbers ?? others) : others).subarray(from, from + size);
			isUsable = this.#step(group, own, scalars, threads) && isUsable;
		}
		return isUsable;
	}

	/** Returns the groups of parameters that take a step together. */
	#groupsFor({ decay, vectorDecay }: AdamWScalars): readonly DecayGroup[] {
		const { decayGroups, trainedSize } = this.form;
		if (decay !== vectorDecay) return decayGroups;
		const start = tableSize(this.form);
		const groups = [
			{ offset: 0, size: start, isMatrix: true },
			{ offset: start, size: trainedSize - start, isMatrix: true },
		];
		return groups.filter(({ size }) => size > 0);
	}

	#step({ offset, size, isMatrix }: DecayGroup, gradient: Float32Array, scalars: AdamWScalars, threads: number) {
		const own = (vector: Float32Array) => vector.subarray(offset, offset + size);
		const moments = { firstMoment: own(this.firstMoment), secondMoment: own(this.secondMoment) };
		const factors = { ...scalars, decay: isMatrix ? scalars.decay : scalars.vectorDecay };
		return stepAdamW(own(this.parameters), gradient, moments, factors, threads);
	}

	/** Writes the gradient of all parameters after the embedding tables. */
	#multiplyOut(update: Float32Array, texts: number, threads: number): Float32Array {
		const start = tableSize(this.form);
		const dense = denseViews(this.form, update);
		for (const { name, offset } of this.form.dense) this.#gradient.set(dense.get(name) ?? [], offset - start);
		const factors = factorViews(this.form, update, texts);
		writeOuterProducts(
			factors.flatMap((each) => outerProductsOf(each, texts, this.#gradient, start)),
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

/**
 * Returns the numbers computed from factors at a time: all trained ones without the tables, or one weight that parts
 * have as factors.
 */
function countProducts(form: GradientForm): number {
	const { factors, dense, ofFewTexts, trainedSize } = form;
	if (factors.length > 0) return trainedSize - tableSize(form);
	const names = new Set(ofFewTexts?.factors.map(({ name }) => name));
	return Math.max(0, ...dense.filter(({ name }) => names.has(name)).map(({ size }) => size));
}
