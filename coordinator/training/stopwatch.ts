export type TimedPhase = "load" | "features" | "training" | "evaluation";
export type PhaseSeconds = Record<TimedPhase, number>;

/** Measures wall seconds per phase of a run, including those before an interruption. */
export class Stopwatch {
	readonly #seconds: PhaseSeconds = { load: 0, features: 0, training: 0, evaluation: 0 };

	/** Seconds so far. */
	get seconds(): PhaseSeconds {
		return { ...this.#seconds };
	}

	get total(): number {
		return Object.values(this.#seconds).reduce((sum, seconds) => sum + seconds, 0);
	}

	/** Adds the seconds of an earlier process of the same run. */
	add(earlier: PhaseSeconds): void {
		for (const phase of Object.keys(earlier) as TimedPhase[]) this.#seconds[phase] += earlier[phase];
	}

	/** Adds the time of `work` to a phase. */
	async time<T>(phase: TimedPhase, work: () => Promise<T>): Promise<T> {
		const start = performance.now();
		try {
			return await work();
		} finally {
			this.#seconds[phase] += (performance.now() - start) / 1000;
		}
	}
}
