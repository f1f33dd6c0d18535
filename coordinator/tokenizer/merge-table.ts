import { PairTable } from "./pair-table.ts";

/** Longest sequence, in tokens, in which the best pair is searched by comparing all pairs: then a heap is faster. */
const SHORT = 48;

/** Stands for the rank of a pair that isn't merged. */
const NONE = Number.POSITIVE_INFINITY;

/** A position in the heap's keys is below this. */
const POSITIONS = 2 ** 31;

/**
 * The merges of a byte-pair encoding: pairs of tokens that are merged to one, in the order of their ranks. A text of a
 * million tokens needs ten million look-ups.
 */
export class MergeTable {
	/** Rank and merged token, by the two tokens. */
	readonly #merges: PairTable;
	#count = 0;

	/** @param most largest number of merges */
	constructor(most: number) {
		this.#merges = new PairTable(most);
	}

	/** Adds a merge with the next rank. A pair that was added before gets the new rank. */
	add(left: number, right: number, merged: number): void {
		this.#merges.set(left, right, this.#count++, merged);
	}

	/**
	 * Encodes a sequence of tokens: merges the pair of neighbours with the lowest rank, the first one of several equal
	 * ones, until no two neighbours can be merged.
	 */
	encode(tokens: readonly number[]): number[] {
		return tokens.length <= SHORT ? this.#encodeShort(tokens) : this.#encodeLong(tokens);
	}

	#encodeShort(given: readonly number[]): number[] {
		const tokens = given.slice();
		const ranks: number[] = [];
		for (let i = 1; i < tokens.length; i++) ranks.push(this.#rank(tokens[i - 1] as number, tokens[i] as number));
		for (;;) {
			let best = 0;
			for (let i = 1; i < ranks.length; i++) if ((ranks[i] as number) < (ranks[best] as number)) best = i;
			if ((ranks[best] ?? NONE) === NONE) return tokens;
			tokens[best] = this.#merged(tokens[best] as number, tokens[best + 1] as number);
			for (let i = best + 2; i < tokens.length; i++) tokens[i - 1] = tokens[i] as number;
			for (let i = best + 1; i < ranks.length; i++) ranks[i - 1] = ranks[i] as number;
			tokens.pop();
			ranks.pop();
			if (best < ranks.length) ranks[best] = this.#rank(tokens[best] as number, tokens[best + 1] as number);
			if (best > 0) ranks[best - 1] = this.#rank(tokens[best - 1] as number, tokens[best] as number);
		}
	}

	/** Needs time n log n: a heap yields the pairs by rank and position; pairs that don't exist any more are skipped. */
	#encodeLong(given: readonly number[]): number[] {
		const tokens = Int32Array.from(given);
		const after = Int32Array.from(given, (_, index) => index + 1);
		const before = Int32Array.from(given, (_, index) => index - 1);
		const heap = new NumberHeap();
		const push = (at: number) => {
			const next = after[at] as number;
			const rank = next < tokens.length ? this.#rank(tokens[at] as number, tokens[next] as number) : NONE;
			if (rank !== NONE) heap.push(rank * POSITIONS + at);
		};
		for (const at of given.keys()) push(at);
		for (let key = heap.pop(); key !== undefined; key = heap.pop()) {
			const at = key % POSITIONS;
			const next = after[at] as number;
			const [left, right] = [tokens[at] as number, next < tokens.length ? (tokens[next] as number) : -1];
			if (left < 0 || right < 0 || this.#rank(left, right) !== Math.floor(key / POSITIONS)) continue;
			tokens[at] = this.#merged(left, right);
			tokens[next] = -1;
			const end = after[next] as number;
			after[at] = end;
			if (end < tokens.length) before[end] = at;
			push(at);
			if ((before[at] as number) >= 0) push(before[at] as number);
		}
		return Array.from(tokens.filter((token) => token >= 0));
	}

	#rank(left: number, right: number): number {
		const rank = this.#merges.first(left, right);
		return rank < 0 ? NONE : rank;
	}

	#merged(left: number, right: number): number {
		return this.#merges.second(left, right);
	}
}

/** A heap of numbers that yields the smallest one first. */
class NumberHeap {
	readonly #keys: number[] = [];

	push(key: number): void {
		const keys = this.#keys;
		let at = keys.push(key) - 1;
		while (at > 0) {
			const parent = (at - 1) >> 1;
			if ((keys[parent] as number) <= key) break;
			keys[at] = keys[parent] as number;
			at = parent;
		}
		keys[at] = key;
	}

	pop(): number | undefined {
		const keys = this.#keys;
		const [first] = keys;
		const last = keys.pop();
		if (last === undefined || keys.length === 0) return first;
		let at = 0;
		for (let child = 1; child < keys.length; child = 2 * at + 1) {
			if (child + 1 < keys.length && (keys[child + 1] as number) < (keys[child] as number)) child++;
			if ((keys[child] as number) >= last) break;
			keys[at] = keys[child] as number;
			at = child;
		}
		keys[at] = last;
		return first;
	}
}
