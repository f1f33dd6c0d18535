import type { AuditLine } from "../run-folder/audit.ts";
import { removeBestExcept } from "../run-folder/run-folder.ts";
import { type TrainingState, writeBest, writeCheckpoint } from "./checkpoint.ts";

/** Data written before a checkpoint. */
export interface BeforeCheckpoint {
	/** Audit lines of the steps since the previous checkpoint. */
	readonly audit: readonly AuditLine[];
	/** Parameters of the best epoch (the state's `progress.best`), if they aren't in a file yet. */
	readonly best?: Float32Array | undefined;
}

const VECTORS = ["parameters", "firstMoment", "secondMoment"] as const;

type Vectors = Pick<TrainingState, (typeof VECTORS)[number]>;

/** Largest state that is copied before it is written; the parameters and moments of one block are 85 MB. */
const MOST_COPIED_BYTES = 256 << 20;

/** Largest share of the time for checkpoints that the user didn't request. */
const MOST_TIME = 1 / 20;

/**
 * Writes checkpoints while training continues, which doesn't wait for the disk. If a state is too large to be copied,
 * the next change to it waits until the system has all its data; the system flushes the data later.
 */
export class CheckpointWriter {
	readonly #folder: string;
	readonly #mostCopiedBytes: number;
	readonly #now: () => number;
	#copies: Vectors | undefined;
	#taken: Promise<void> = Promise.resolve();
	#written: Promise<void> = Promise.resolve();
	/** Start and duration of the last checkpoint; initially there is none. */
	#beganMs = Number.NEGATIVE_INFINITY;
	#tookMs = 0;

	constructor(folder: string, mostCopiedBytes = MOST_COPIED_BYTES, now = () => performance.now()) {
		this.#folder = folder;
		this.#mostCopiedBytes = mostCopiedBytes;
		this.#now = now;
	}

	/** Whether another checkpoint would keep within `MOST_TIME`. */
	get isAffordable(): boolean {
		return this.#now() - this.#beganMs >= this.#tookMs / MOST_TIME;
	}

	/**
	 * Begins a checkpoint after the previous one was written.
	 * @param before data to write before it
	 * @throws TailtuneError if the previous one failed
	 */
	async begin(state: TrainingState, before: BeforeCheckpoint): Promise<void> {
		await this.#written;
		const copies = this.#copy(state);
		const snapshot = { ...state, ...copies, progress: structuredClone(state.progress) };
		const taken = new Promise<void>((resolve) => {
			if (copies) resolve();
			this.#written = this.#write(snapshot, before, resolve);
		});
		this.#taken = Promise.race([taken, this.#written]);
		this.#taken.catch(() => {});
		// The next wait gets the error.
		this.#written.catch(() => {
			this.#taken = this.#written;
		});
	}

	/** Waits until parameters and moments may change. @throws TailtuneError if writing them has failed */
	waitUntilCopied(): Promise<void> {
		return this.#taken;
	}

	/** Waits until the checkpoint is on the disk. @throws TailtuneError "disk", or "diverged" as `writeCheckpoint` */
	waitUntilWritten(): Promise<void> {
		return this.#written;
	}

	/** Copies the vectors. @returns undefined if they are too large */
	#copy(state: Vectors): Vectors | undefined {
		const bytes = VECTORS.reduce((sum, name) => sum + state[name].byteLength, 0);
		if (bytes > this.#mostCopiedBytes) return undefined;
		// The same memory each time: allocating memory takes longer than filling it.
		this.#copies ??= Object.fromEntries(VECTORS.map((name) => [name, new Float32Array(state[name].length)])) as Vectors;
		for (const name of VECTORS) this.#copies[name].set(state[name]);
		return this.#copies;
	}

	async #write(state: TrainingState, { audit, best }: BeforeCheckpoint, onTaken: () => void): Promise<void> {
		this.#beganMs = this.#now();
		const step = state.progress.best?.step;
		if (best && step !== undefined) await writeBest(this.#folder, step, best);
		await writeCheckpoint(this.#folder, state, audit, onTaken);
		// From now on no checkpoint refers to the older ones.
		if (best) await removeBestExcept(this.#folder, step);
		this.#tookMs = this.#now() - this.#beganMs;
	}
}
