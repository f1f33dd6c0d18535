/** Numbers per slot: left number + 1 (0: the slot is free), right number, two values. */
const SLOT = 4;

/** Maps pairs of whole numbers to two whole numbers each: a hash table in one array, for very many look-ups. */
export class PairTable {
	readonly #slots: Int32Array;
	readonly #mask: number;

	/** @param most largest number of pairs */
	constructor(most: number) {
		let size = 16;
		while (size < 2 * most) size *= 2;
		this.#slots = new Int32Array(size * SLOT);
		this.#mask = size - 1;
	}

	/** Sets the values of a pair. */
	set(left: number, right: number, first: number, second: number): void {
		const slot = this.#find(left, right);
		this.#slots[slot] = left + 1;
		this.#slots[slot + 1] = right;
		this.#slots[slot + 2] = first;
		this.#slots[slot + 3] = second;
	}

	/** Returns the first value of a pair; -1 if it has none. */
	first(left: number, right: number): number {
		const slot = this.#find(left, right);
		return this.#slots[slot] === 0 ? -1 : (this.#slots[slot + 2] as number);
	}

	/** Returns the second value of a pair, which must be in the table. */
	second(left: number, right: number): number {
		return this.#slots[this.#find(left, right) + 3] as number;
	}

	/** Returns the place of a pair's slot, or of the free slot for it. */
	#find(left: number, right: number): number {
		const slots = this.#slots;
		let index = Math.imul(Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b), 0xc2b2ae35);
		for (index ^= index >>> 15; ; index++) {
			const slot = (index & this.#mask) * SLOT;
			if (slots[slot] === 0 || (slots[slot] === left + 1 && slots[slot + 1] === right)) return slot;
		}
	}
}
