import { formOfPart, type GradientForm, gradientLength } from "./gradient-form.ts";

/** A text as far as its embeddings depend on it. */
interface TextTokens {
	readonly tokens: ArrayLike<number>;
}

/** A gradient without rows of the embedding tables. */
export const noRows = new Uint32Array();

/**
 * Returns the rows of the embedding tables that some texts use: those of their tokens, and those of their positions.
 * Coordinator and worker derive them from the same item, so an answer doesn't name them.
 * @returns indices of rows in ascending order, each once; none if the tables aren't trained
 */
export function rowsOfTexts({ table }: Pick<GradientForm, "table">, texts: Iterable<TextTokens>): Uint32Array {
	if (!table) return noRows;
	const rows = new Set<number>();
	for (const { tokens } of texts)
		for (let position = 0; position < tokens.length; position++) {
			rows.add(tokens[position] as number);
			rows.add(table.tokens + position);
		}
	return Uint32Array.from(rows).sort();
}

/** Returns the numbers of the gradient of a part with these texts. @param form of the run's gradients */
export function partLength(form: GradientForm, texts: readonly TextTokens[]): number {
	return gradientLength(formOfPart(form, texts.length), texts.length, rowsOfTexts(form, texts).length);
}

/** Returns whether numbers are indices of rows in a form, in ascending order, each once. */
export function areRows({ table }: GradientForm, rows: readonly number[]): boolean {
	return rows.every((row, i) => row > (rows[i - 1] ?? -1) && row < (table?.count ?? 0));
}

/** Returns a view of the numbers of a gradient's rows: [rows, width]. */
export function rowNumbers(
	{ denseSize, factorSize }: GradientForm,
	gradient: Float32Array,
	texts: number,
): Float32Array {
	return gradient.subarray(denseSize + texts * factorSize);
}

/** Rows that follow each other in two gradients. */
export interface CommonRows {
	readonly count: number;
	/** Position of the first one among the rows of each gradient. */
	readonly inPart: number;
	readonly inSum: number;
}

/** Finds the rows of a part among those of a sum. @throws RangeError if the sum lacks one */
export function* findRows(part: Uint32Array, sum: Uint32Array): Generator<CommonRows> {
	let [inPart, inSum] = [0, 0];
	while (inPart < part.length) {
		inSum = sum.indexOf(part[inPart] as number, inSum);
		if (inSum < 0) throw new RangeError(`the sum has no row ${part[inPart]}`);
		let count = 1;
		while (inPart + count < part.length && part[inPart + count] === sum[inSum + count]) count++;
		yield { count, inPart, inSum };
		inPart += count;
		inSum += count;
	}
}

/** The gradient of the embedding tables: zeros, and the rows that were written last. */
export class TableGradient {
	/** [rows of both tables, width] */
	readonly numbers: Float32Array;
	readonly #width: number;
	#written: Uint32Array = noRows;

	/** @param numbers zeros */
	constructor(numbers: Float32Array, width: number) {
		this.numbers = numbers;
		this.#width = width;
	}

	/** Replaces the rows that were written before. @param numbers of these rows: [rows, width] */
	write(rows: Uint32Array, numbers: Float32Array): void {
		const width = this.#width;
		for (const row of this.#written) this.numbers.fill(0, row * width, (row + 1) * width);
		for (const [i, row] of rows.entries()) this.numbers.set(numbers.subarray(i * width, (i + 1) * width), row * width);
		this.#written = rows;
	}
}
