import type { ByteBudget } from "./byte-budget.ts";
import { SpillFile } from "./spill-file.ts";

/** Hidden states where they are kept: in memory, or in the spill file. */
type Kept = Float32Array | { readonly position: number; readonly length: number };

export interface FeatureStats {
	readonly entries: number;
	readonly memoryBytes: number;
	readonly fileBytes: number;
}

/**
 * The frozen trunk's outputs, kept for later epochs. What doesn't fit into memory goes to a file: what came first
 * stays in memory, since epochs read everything in turn, where dropping the least recently used would always miss.
 */
export class FeatureStore {
	readonly #kept = new Map<string, Kept>();
	readonly #budget: ByteBudget;
	readonly #file: SpillFile;
	#memoryBytes = 0;

	/**
	 * @param budget memory, shared with other stores
	 * @param folder of the spill file; default: the system's temporary folder
	 */
	constructor(budget: ByteBudget, folder?: string) {
		this.#budget = budget;
		this.#file = new SpillFile(folder);
	}

	get stats(): FeatureStats {
		return { entries: this.#kept.size, memoryBytes: this.#memoryBytes, fileBytes: this.#file.sizeBytes };
	}

	/**
	 * The numbers put under a key, bit for bit; not to be written to.
	 * @throws TailtuneError "disk" where the spill file can't be read
	 */
	get(key: string): Float32Array | undefined {
		const kept = this.#kept.get(key);
		if (kept === undefined || kept instanceof Float32Array) return kept;
		return this.#file.read(kept.position, kept.length);
	}

	/**
	 * Keeps numbers under a key; the array is the store's from here on. A key that is there stays as it is.
	 * @throws TailtuneError "disk" where neither memory nor disk has room; the key is then not there
	 */
	put(key: string, hidden: Float32Array): void {
		if (this.#kept.has(key)) return;
		if (this.#budget.take(hidden.byteLength)) {
			this.#memoryBytes += hidden.byteLength;
			this.#kept.set(key, hidden);
		} else {
			this.#kept.set(key, { position: this.#file.append(hidden), length: hidden.length });
		}
	}

	/** Forgets everything and gives memory and disk back. */
	close(): void {
		this.#kept.clear();
		this.#budget.giveBack(this.#memoryBytes);
		this.#memoryBytes = 0;
		this.#file.close();
	}
}

/** A key that is the numbers themselves, their bytes taken as characters: only equal ones are equal. */
export function featureKey(numbers: Uint32Array): string {
	return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).toString("latin1");
}
