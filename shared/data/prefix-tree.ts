/** More than any vocabulary has tokens. */
const TOKENS = 2 ** 21;

/**
 * The distinct prefixes of token sequences, numbered as they are met. Where attention is causal a token's hidden state
 * depends on its prefix alone, so one computed row serves all texts that begin alike.
 */
export class PrefixTree {
	/** Number of a prefix by the number of the one before it and its last token. */
	readonly #numbers = new Map<number, number>();

	/** How many distinct prefixes there are. */
	get size(): number {
		return this.#numbers.size;
	}

	/** @returns the number of each prefix of the sequence, the shortest first; those not met before get the next ones */
	add(sequence: Uint32Array): Uint32Array {
		let number = -1;
		return sequence.map((token) => {
			const key = keyOf(number, token);
			number = this.#numbers.get(key) ?? this.size;
			this.#numbers.set(key, number);
			return number;
		});
	}

	/** How many prefixes `add` would add. */
	countNew(sequence: Uint32Array): number {
		let number = -1;
		for (const [at, token] of sequence.entries()) {
			const next = this.#numbers.get(keyOf(number, token));
			if (next === undefined) return sequence.length - at;
			number = next;
		}
		return 0;
	}
}

function keyOf(before: number, token: number): number {
	return (before + 1) * TOKENS + token;
}
