import { type TrainingState, writeBest, writeCheckpoint } from "./checkpoint.ts";

/** Writes checkpoints while training goes on: the disk's flush, most of the time that one takes, holds nothing up. */
export class CheckpointWriter {
	readonly #folder: string;
	#taken: Promise<void> = Promise.resolve();
	#written: Promise<void> = Promise.resolve();

	constructor(folder: string) {
		this.#folder = folder;
	}

	/**
	 * Begins a checkpoint, when the one before is written.
	 * @param best parameters to write before it, where they are new
	 * @throws what the one before threw
	 */
	async begin(state: TrainingState, best?: Float32Array): Promise<void> {
		await this.#written;
		const asItIs = { ...state, progress: structuredClone(state.progress) };
		const taken = new Promise<void>((resolve) => {
			this.#written = this.#write(asItIs, best, resolve);
		});
		this.#taken = Promise.race([taken, this.#written]);
		// Whoever waits next is told.
		for (const begun of [this.#taken, this.#written]) begun.catch(() => {});
	}

	/** Waits until parameters and moments may change. @throws what writing them threw */
	taken(): Promise<void> {
		return this.#taken;
	}

	/** Waits until what was begun is on the disk. @throws TailtuneError "disk", or "diverged" as `writeCheckpoint` */
	written(): Promise<void> {
		return this.#written;
	}

	async #write(state: TrainingState, best: Float32Array | undefined, onTaken: () => void): Promise<void> {
		if (best) await writeBest(this.#folder, best);
		await writeCheckpoint(this.#folder, state, onTaken);
	}
}
