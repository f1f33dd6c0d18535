import type { AuditLine } from "../results/audit.ts";
import { type TrainingState, writeBest, writeCheckpoint } from "./checkpoint.ts";

/** What goes before a checkpoint. */
export interface BeforeCheckpoint {
	/** Lines of the steps since the one before. */
	readonly audit: readonly AuditLine[];
	/** Parameters of the best epoch, where they are new. */
	readonly best?: Float32Array | undefined;
}

type Vectors = Pick<TrainingState, "parameters" | "firstMoment" | "secondMoment" | "velocity">;

/** What is copied before it is written: a block's parameters and moments are 85 MB. */
const MOST_COPIED_BYTES = 256 << 20;

/**
 * Writes checkpoints while training goes on: the disk holds nothing up. A state too large to be copied holds up the next
 * change to it until it has been handed to the system, which then flushes it.
 */
export class CheckpointWriter {
	readonly #folder: string;
	readonly #mostCopiedBytes: number;
	#copies: Float32Array[] | undefined;
	#taken: Promise<void> = Promise.resolve();
	#written: Promise<void> = Promise.resolve();

	constructor(folder: string, mostCopiedBytes = MOST_COPIED_BYTES) {
		this.#folder = folder;
		this.#mostCopiedBytes = mostCopiedBytes;
	}

	/**
	 * Begins a checkpoint, when the one before is written.
	 * @param before what to write before it
	 * @throws what the one before threw
	 */
	async begin(state: TrainingState, before: BeforeCheckpoint): Promise<void> {
		await this.#written;
		const copies = this.#copy(state);
		const asItIs = { ...state, ...copies, progress: structuredClone(state.progress) };
		const taken = new Promise<void>((resolve) => {
			if (copies) resolve();
			this.#written = this.#write(asItIs, before, resolve);
		});
		this.#taken = Promise.race([taken, this.#written]);
		this.#taken.catch(() => {});
		// Whoever waits next is told.
		this.#written.catch(() => {
			this.#taken = this.#written;
		});
	}

	/** Waits until parameters and moments may change. @throws what writing them threw, as soon as it has */
	taken(): Promise<void> {
		return this.#taken;
	}

	/** Waits until what was begun is on the disk. @throws TailtuneError "disk", or "diverged" as `writeCheckpoint` */
	written(): Promise<void> {
		return this.#written;
	}

	/** @returns nothing where that would be too much */
	#copy({ parameters, firstMoment, secondMoment, velocity }: Vectors): Vectors | undefined {
		const given = [parameters, firstMoment, secondMoment, velocity];
		const bytes = given.reduce((sum, { byteLength }) => sum + byteLength, 0);
		if (bytes > this.#mostCopiedBytes) return undefined;
		// The same memory each time: fresh memory takes longer to get than to fill.
		this.#copies ??= given.map(({ length }) => new Float32Array(length));
		for (const [i, copy] of this.#copies.entries()) copy.set(given[i] as Float32Array);
		const [p, m, v, u] = this.#copies as [Float32Array, Float32Array, Float32Array, Float32Array];
		return { parameters: p, firstMoment: m, secondMoment: v, velocity: u };
	}

	async #write(state: TrainingState, { audit, best }: BeforeCheckpoint, onTaken: () => void): Promise<void> {
		if (best) await writeBest(this.#folder, best);
		await writeCheckpoint(this.#folder, state, audit, onTaken);
	}
}
