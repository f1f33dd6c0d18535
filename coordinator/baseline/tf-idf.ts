import { setImmediate as nextTurn } from "node:timers/promises";

/** Texts as rows of a sparse matrix: `columns` and `values` of row i are those from `starts[i]` to `starts[i + 1]`. */
export interface SparseRows {
	readonly starts: Uint32Array;
	/** Features of the values. */
	readonly columns: Uint32Array;
	readonly values: Float64Array;
	/** Number of features. */
	readonly features: number;
}

/** Runs of at least two letters, digits or underscores. */
const WORDS = /[\p{L}\p{N}_]{2,}/gu;

/** Texts after which other work of the process gets its turn. */
const TEXTS_PER_TURN = 500;

/**
 * Weights the words of texts, as scikit-learn's `TfidfVectorizer` with its defaults: lower case, idf = ln((1 + texts) /
 * (1 + texts with the word)) + 1, rows of length 1. Salton and Buckley (1988), "Term-weighting approaches in automatic
 * text retrieval".
 */
export class TfIdf {
	readonly #columnOf: ReadonlyMap<string, number>;
	readonly #idf: Float64Array;

	private constructor(columnOf: ReadonlyMap<string, number>, idf: Float64Array) {
		this.#columnOf = columnOf;
		this.#idf = idf;
	}

	/** Learns the words of texts. @param most number of words that are kept: the most frequent ones */
	static async fit(texts: readonly string[], most: number): Promise<TfIdf> {
		const uses = new Map<string, { total: number; texts: number; last: number }>();
		for (const [index, text] of texts.entries()) {
			for (const word of wordsOf(text)) {
				const use = uses.get(word) ?? { total: 0, texts: 0, last: -1 };
				if (use.total === 0) uses.set(word, use);
				use.total++;
				if (use.last !== index) use.texts++;
				use.last = index;
			}
			if (index % TEXTS_PER_TURN === 0) await nextTurn();
		}
		const kept = [...uses].sort(([, a], [, b]) => b.total - a.total).slice(0, most);
		const idf = kept.map(([, use]) => Math.log((1 + texts.length) / (1 + use.texts)) + 1);
		return new TfIdf(new Map(kept.map(([word], column) => [word, column])), Float64Array.from(idf));
	}

	/** Weights the known words of texts. A text without any is a row without values. */
	async transform(texts: readonly string[]): Promise<SparseRows> {
		const starts = new Uint32Array(texts.length + 1);
		const columns: number[] = [];
		const values: number[] = [];
		for (const [index, text] of texts.entries()) {
			const counts = this.#countWords(text);
			const weights = [...counts].map(([column, count]) => count * (this.#idf[column] ?? 0));
			const length = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0));
			let next = 0;
			for (const column of counts.keys()) {
				columns.push(column);
				values.push((weights[next++] ?? 0) / length);
			}
			starts[index + 1] = columns.length;
			if (index % TEXTS_PER_TURN === 0) await nextTurn();
		}
		const features = this.#idf.length;
		return { starts, columns: Uint32Array.from(columns), values: Float64Array.from(values), features };
	}

	#countWords(text: string): Map<number, number> {
		const counts = new Map<number, number>();
		for (const word of wordsOf(text)) {
			const column = this.#columnOf.get(word);
			if (column !== undefined) counts.set(column, (counts.get(column) ?? 0) + 1);
		}
		return counts;
	}
}

function wordsOf(text: string): readonly string[] {
	return text.toLowerCase().match(WORDS) ?? [];
}
