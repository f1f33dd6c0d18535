import type { AuditLine } from "../results/audit.ts";
import { type TrainingState, writeBest, writeCheckpoint } from "./checkpoint.ts";

/** What is there before a checkpoint is. */
export interface BeforeCheckpoint {
	/** Lines of the steps since the one before. */
	readonly audit: readonly AuditLine[];
	/** Parameters of the best epoch, where they are new. */
	readonly best?: Float32Array | undefined;
}

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
	 * @param before what to write before it
	 * @throws what the one before threw
	 */
	async begin(state: TrainingState, before: BeforeCheckpoint): Promise<void> {
		await this.#written;
		const asItIs = { ...state, progress: structuredClone(state.progress) };
		const taken = new Promise<void>((resolve) => {
			this.#written = this.#write(asItIs, before, resolve);
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

	async #write(state: TrainingState, { audit, best }: BeforeCheckpoint, onTaken: () => void): Promise<void> {
		await writeCheckpoint(this.#folder, state, audit, async () => {
			onTaken();
			if (best) await writeBest(this.#folder, best);
		});
	}
}
