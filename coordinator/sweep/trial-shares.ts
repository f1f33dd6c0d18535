/** What a trial needs of the machine. */
export interface TrialNeeds {
	/** Estimated memory, in bytes. */
	readonly bytes: number;
	/** `--threads`, if it is set. */
	readonly threads: number | undefined;
	/** Trials with the same text here have the same features in the cache; undefined if it keeps none. */
	readonly features: string | undefined;
}

/** The share of the machine that a trial gets. */
export interface TrialShare {
	/** Trials that can run at once if they all need as much memory. */
	readonly atOnce: number;
	/** Compute threads. */
	readonly threads: number;
	/** Compute threads for features. */
	readonly trunkThreads: number;
}

export interface Machine {
	/** Processor cores. */
	readonly cores: number;
	/** Memory for trials, in bytes. */
	readonly bytes: number;
	/** The most trials at once. */
	readonly most: number;
}

interface Waiting {
	readonly trial: object;
	readonly needs: TrialNeeds;
	readonly left: number;
	readonly admit: (share: TrialShare) => void;
}

/**
 * Divides a machine among trials. A trial waits until there is memory for it; one alone never waits. Features are
 * computed by one trial at a time with the threads of all, because trials that begin together would compute the same
 * ones.
 */
export class TrialShares {
	readonly #machine: Machine;
	readonly #running = new Map<object, TrialNeeds>();
	readonly #prepared = new Set<string>();
	#waiting: Waiting[] = [];
	/** The trial that computes features. */
	#preparing: object | undefined;

	constructor(machine: Machine) {
		this.#machine = machine;
	}

	/**
	 * Calls `admit` when there is a share for a trial.
	 * @param trial any object that stands for it
	 * @param left as in `TrialJob`
	 */
	enter(trial: object, needs: TrialNeeds, left: number, admit: (share: TrialShare) => void): void {
		this.#waiting.push({ trial, needs, left, admit });
		this.#admit();
	}

	/** The features of a trial are in the cache. */
	finishFeatures(trial: object): void {
		if (this.#preparing !== trial) return;
		this.#preparing = undefined;
		this.#prepared.add(this.#running.get(trial)?.features ?? "");
		this.#admit();
	}

	/** A trial has ended, also while it waits. */
	leave(trial: object): void {
		this.#running.delete(trial);
		this.#waiting = this.#waiting.filter((waiting) => waiting.trial !== trial);
		if (this.#preparing === trial) this.#preparing = undefined;
		this.#admit();
	}

	#admit(): void {
		for (const waiting of this.#waiting) {
			const { trial, needs, left, admit } = waiting;
			const { bytes, features } = needs;
			const used = [...this.#running.values()].reduce((sum, running) => sum + running.bytes, 0);
			if (this.#running.size > 0 && used + bytes > this.#machine.bytes) continue;
			const isPreparing = features !== undefined && !this.#prepared.has(features);
			if (isPreparing && this.#preparing !== undefined) continue;
			if (isPreparing) this.#preparing = trial;
			this.#waiting = this.#waiting.filter((other) => other !== waiting);
			this.#running.set(trial, needs);
			admit(this.#shareOf(needs, left, isPreparing));
		}
	}

	#shareOf({ bytes, threads: given }: TrialNeeds, left: number, isPreparing: boolean): TrialShare {
		const { cores, bytes: memory, most } = this.#machine;
		const atOnce = Math.max(1, Math.min(most, left, Math.floor(memory / bytes)));
		const threads = given ?? Math.max(1, Math.floor(cores / atOnce));
		const all = Math.max(threads, Math.min(cores, threads * atOnce));
		return { atOnce, threads, trunkThreads: isPreparing ? all : threads };
	}
}
