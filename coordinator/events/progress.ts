const SECONDS_BEFORE_ESTIMATE = 1;

/** How far a phase has come, how fast it is, and how long the rest will take. */
export class Progress {
	/** Units of work, each of which takes about as long as another; 0 if unknown. */
	readonly total: number;
	/** Units done by an earlier process. */
	readonly startAt: number;
	/** Units done, including `startAt`. */
	done: number;
	readonly #now: () => number;
	readonly #startedMs: number;

	/**
	 * @param startAt units done by an earlier process: they count for the share, not for the speed
	 * @param now milliseconds that never go back
	 */
	constructor(total: number, startAt: number, now: () => number) {
		this.total = total;
		this.startAt = startAt;
		this.done = startAt;
		this.#now = now;
		this.#startedMs = now();
	}

	/** In [0, 1]; 0 if the total is unknown. */
	get share(): number {
		return this.total > 0 ? Math.min(1, this.done / this.total) : 0;
	}

	/** Seconds since the phase began. */
	get seconds(): number {
		return (this.#now() - this.#startedMs) / 1000;
	}

	/** Units per second so far. */
	get speed(): number {
		return this.seconds > 0 ? (this.done - this.startAt) / this.seconds : 0;
	}

	/**
	 * Seconds that the rest takes at the mean speed so far. It grows while nothing happens, so that a stall can be seen.
	 * Undefined while it can't be estimated: in the first second, before the first unit, or without a total.
	 */
	get secondsLeft(): number | undefined {
		if (this.seconds < SECONDS_BEFORE_ESTIMATE || this.speed === 0 || this.total === 0) return undefined;
		return Math.max(0, this.total - this.done) / this.speed;
	}
}
