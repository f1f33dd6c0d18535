import type { ByteBudget } from "./byte-budget.ts";
import { SpillFile } from "./spill-file.ts";

/** Features in memory, or their position in the spill file. */
type Stored = Float32Array | { readonly position: number; readonly length: number };

/** Contents of a store. */
export interface FeatureStats {
	readonly entries: number;
	readonly memoryBytes: number;
	readonly fileBytes: number;
}

/**
 * Keeps the frozen trunk's outputs for later epochs, the first ones in memory, and in a file those that don't fit.
 * Nothing moves between the two: each epoch reads all texts, so a cache of the most recently used ones would never have
 * a hit.
 */
export class FeatureStore {
	readonly #stored = new Map<string, Stored>();
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
		return { entries: this.#stored.size, memoryBytes: this.#memoryBytes, fileBytes: this.#file.sizeBytes };
	}

	/**
	 * Returns the features of a key, bit for bit as they were put. Don't write to them.
	 * @throws TailtuneError "disk" if the spill file can't be read
	 */
	get(key: string): Float32Array | undefined {
		const stored = this.#stored.get(key);
		if (stored === undefined || stored instanceof Float32Array) return stored;
		return this.#file.read(stored.position, stored.length);
	}

	/**
	 * Stores features under a key, unless the key exists. The store keeps the array, so don't write to it afterwards.
	 * @throws TailtuneError "disk" if both memory and disk are full; the key is then not stored
	 */
	put(key: string, hidden: Float32Array): void {
		if (this.#stored.has(key)) return;
		if (this.#budget.reserve(hidden.byteLength)) {
			this.#memoryBytes += hidden.byteLength;
			this.#stored.set(key, hidden);
		} else {
			this.#stored.set(key, { position: this.#file.append(hidden), length: hidden.length });
		}
	}

	/** Removes all features and frees memory and disk. */
	close(): void {
		this.#stored.clear();
		this.#budget.release(this.#memoryBytes);
		this.#memoryBytes = 0;
		this.#file.close();
	}
}

/** Makes a key of the numbers themselves, their bytes as characters. Keys are equal only if the numbers are equal. */
export function featureKey(numbers: Uint32Array): string {
	return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength).toString("latin1");
}
