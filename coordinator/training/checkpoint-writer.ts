import type { AuditLine } from "../run-folder/audit.ts";
import { removeBestExcept } from "../run-folder/run-folder.ts";
import { type TrainingState, writeBest, writeCheckpoint } from "./checkpoint.ts";

/** What goes before a checkpoint. */
export interface BeforeCheckpoint {
	/** Lines of the steps since the one before. */
	readonly audit: readonly AuditLine[];
	/** Parameters of the best epoch (the state's `progress.best`), if no file holds them yet. */
	readonly best?: Float32Array | undefined;
}

const VECTORS = ["parameters", "firstMoment", "secondMoment", "velocity"] as const;

type Vectors = Pick<TrainingState, (typeof VECTORS)[number]>;

/** What is copied before it is written: a block's parameters and moments are 85 MB. */
const MOST_COPIED_BYTES = 256 << 20;

/** Checkpoints that nobody asked for take at most such a share of the time. */
const MOST_TIME = 1 / 20;

/**
 * Writes checkpoints while training goes on: the disk holds nothing up. A state too large to be copied holds up the next
 * change to it until it has been handed to the system, which then flushes it.
 */
export class CheckpointWriter {
	readonly #folder: string;
	readonly #mostCopiedBytes: number;
	readonly #now: () => number;
	#copies: Vectors | undefined;
	#taken: Promise<void> = Promise.resolve();
	#written: Promise<void> = Promise.resolve();
	/** When the last one was begun and how long it took; none was yet. */
	#beganMs = Number.NEGATIVE_INFINITY;
	#tookMs = 0;

	constructor(folder: string, mostCopiedBytes = MOST_COPIED_BYTES, now = () => performance.now()) {
		this.#folder = folder;
		this.#mostCopiedBytes = mostCopiedBytes;
		this.#now = now;
	}

	/** Whether the last one is long enough ago for what it took. */
	get isWorthIt(): boolean {
		return this.#now() - this.#beganMs >= this.#tookMs / MOST_TIME;
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
	#copy(state: Vectors): Vectors | undefined {
		const bytes = VECTORS.reduce((sum, name) => sum + state[name].byteLength, 0);
		if (bytes > this.#mostCopiedBytes) return undefined;
		// The same memory each time: fresh memory takes longer to get than to fill.
		this.#copies ??= Object.fromEntries(VECTORS.map((name) => [name, new Float32Array(state[name].length)])) as Vectors;
		for (const name of VECTORS) this.#copies[name].set(state[name]);
		return this.#copies;
	}

	async #write(state: TrainingState, { audit, best }: BeforeCheckpoint, onTaken: () => void): Promise<void> {
		this.#beganMs = this.#now();
		const step = state.progress.best?.step;
		if (best && step !== undefined) await writeBest(this.#folder, step, best);
		await writeCheckpoint(this.#folder, state, audit, onTaken);
		// Only now no checkpoint needs the older ones.
		if (best) await removeBestExcept(this.#folder, step);
		this.#tookMs = this.#now() - this.#beganMs;
	}
}
