import { writeOuterProducts } from "../vectors/outer-products.ts";
import { addWeighted } from "../vectors/weighted-sum.ts";
import { findRows, noRows, rowNumbers } from "./embedding-rows.ts";
import { denseViews, factorViews, type GradientForm, gradientLength, outerProductsOf } from "./gradient-form.ts";

/** The gradient of the mean loss of some texts, in a form. */
export interface TextsGradient {
	readonly gradient: Float32Array;
	readonly texts: number;
	/** Rows of the embedding tables in it; see `rowsOfTexts`. Default: none, because the tables aren't trained. */
	readonly rows?: Uint32Array | undefined;
}

export interface CombinedGradientOptions extends TextsGradient {
	readonly form: GradientForm;
	/** Memory for the products of parts that have more factors; default: no part has. */
	readonly products?: Float32Array | undefined;
	/** Threads that multiply these out. Default: 1. */
	readonly threads?: number | undefined;
}

/**
 * Combines the gradients of parts to a weighted sum: dense ranges and rows are added, factors are put one after the
 * other, the left ones multiplied by the part's weight. The order of the parts affects the bits.
 */
export class CombinedGradient implements TextsGradient {
	/** Length for all texts; the numbers of parts not yet added have any content. */
	readonly gradient: Float32Array;
	readonly texts: number;
	readonly rows: Uint32Array;
	readonly #options: CombinedGradientOptions;
	#added = 0;

	/** @param options with the array that receives the sum; its length is that of a gradient of all texts and rows */
	constructor(options: CombinedGradientOptions) {
		this.#options = options;
		this.texts = options.texts;
		this.rows = options.rows ?? noRows;
		this.gradient = options.gradient;
	}

	/**
	 * Adds the next part. Each operation is rounded to float32.
	 * @param form of the part: that of the sum, or with more factors
	 */
	add(part: TextsGradient, weight: number, form = this.#options.form): void {
		const { gradient, texts, rows = noRows } = part;
		if (gradient.length !== gradientLength(form, texts, rows.length) || this.#added + texts > this.texts)
			throw new RangeError(`a gradient of ${gradient.length} numbers and ${texts} texts doesn't fit`);
		if (form === this.#options.form) {
			const { denseSize } = form;
			addWeighted(this.gradient.subarray(0, denseSize), gradient.subarray(0, denseSize), weight, this.#added === 0);
		} else this.#addRanges(part, weight, form);
		this.#addRows(part, weight, form);
		const targets = factorViews(this.#options.form, this.gradient, this.texts);
		const factors = new Map(factorViews(form, gradient, texts).map((each) => [each.block.offset, each]));
		for (const { block, left, right } of targets) {
			const own = factors.get(block.offset);
			if (!own) throw new RangeError(`the part has no factors of ${block.name}`);
			setScaled(left.subarray(this.#added * block.heads * block.rows), own.left, weight);
			right.set(own.right, this.#added * block.heads * block.columns);
		}
		this.#added += texts;
	}

	#addRows({ gradient, texts, rows = noRows }: TextsGradient, weight: number, form: GradientForm): void {
		const { width = 0 } = form.table ?? {};
		const own = rowNumbers(form, gradient, texts);
		const sums = rowNumbers(this.#options.form, this.gradient, this.texts);
		if (this.#added === 0) sums.fill(0);
		for (const { count, inPart, inSum } of findRows(rows, this.rows)) {
			const target = sums.subarray(inSum * width, (inSum + count) * width);
			addWeighted(target, own.subarray(inPart * width, (inPart + count) * width), weight, false);
		}
	}

	/** Adds dense ranges, and products of factors. */
	#addRanges({ gradient, texts }: TextsGradient, weight: number, form: GradientForm): void {
		const { products = new Float32Array(0), threads } = this.#options;
		const dense = denseViews(form, gradient);
		const factors = factorViews(form, gradient, texts);
		const sums = denseViews(this.#options.form, this.gradient);
		for (const { name, offset, size } of this.#options.form.dense) {
			const own = factors.filter(({ block }) => block.name === name);
			const target = products.subarray(0, size);
			writeOuterProducts(
				own.flatMap((each) => outerProductsOf(each, texts, target, offset)),
				threads,
			);
			addWeighted(sums.get(name) as Float32Array, dense.get(name) ?? target, weight, this.#added === 0);
		}
	}
}

function setScaled(target: Float32Array, numbers: Float32Array, factor: number): void {
	for (let i = 0; i < numbers.length; i++) target[i] = (numbers[i] as number) * factor;
}
