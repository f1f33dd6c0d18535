import { addWeighted } from "../vectors/weighted-sum.ts";
import { factorViews, type GradientForm, gradientLength } from "./gradient-form.ts";

/** The gradient of the mean loss of some texts, in a form. */
export interface TextsGradient {
	readonly gradient: Float32Array;
	readonly texts: number;
}

/**
 * Combines the gradients of parts to a weighted sum: dense ranges are added, factors are put one after the other, the
 * left ones multiplied by the part's weight. The order of the parts affects the bits.
 */
export class CombinedGradient implements TextsGradient {
	/** Length for all texts; the numbers of parts not yet added have any content. */
	readonly gradient: Float32Array;
	readonly texts: number;
	readonly #form: GradientForm;
	#added = 0;

	/** @param gradient receives the sum; its length is that of a gradient of `texts` texts */
	constructor(form: GradientForm, texts: number, gradient: Float32Array) {
		this.#form = form;
		this.texts = texts;
		this.gradient = gradient;
	}

	/** Adds the next part. Each operation is rounded to float32. */
	add({ gradient, texts }: TextsGradient, weight: number): void {
		const { denseSize } = this.#form;
		if (gradient.length !== gradientLength(this.#form, texts) || this.#added + texts > this.texts)
			throw new RangeError(`a gradient of ${gradient.length} numbers and ${texts} texts doesn't fit`);
		addWeighted(this.gradient.subarray(0, denseSize), gradient.subarray(0, denseSize), weight, this.#added === 0);
		const targets = factorViews(this.#form, this.gradient, this.texts);
		for (const [i, { block, left, right }] of factorViews(this.#form, gradient, texts).entries()) {
			const target = targets[i];
			setScaled(target?.left.subarray(this.#added * block.heads * block.rows), left, weight);
			target?.right.set(right, this.#added * block.heads * block.columns);
		}
		this.#added += texts;
	}
}

function setScaled(target: Float32Array | undefined, numbers: Float32Array, factor: number): void {
	if (!target) return;
	for (let i = 0; i < numbers.length; i++) target[i] = (numbers[i] as number) * factor;
}
