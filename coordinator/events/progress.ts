const SECONDS_BEFORE_ESTIMATE = 1;
/** Share of the work before an estimate, unless that takes longer: the first units are slow, because engines start. */
const SHARE_BEFORE_ESTIMATE = 0.02;
const MOST_SECONDS_WITHOUT_ESTIMATE = 10;

/** Progress of a phase, its speed, and an estimate of the time that is left. */
export class Progress {
	/** Units of work of about equal length; 0 if unknown. */
	readonly total: number;
	/** Units done by an earlier process. */
	readonly startAt: number;
	/** Units done, including `startAt`. */
	done: number;
	readonly #now: () => number;
	readonly #startedMs: number;

	/**
	 * @param startAt units done by an earlier process; they count for the share, but not for the speed
	 * @param now a monotonic clock, in milliseconds
	 */
	constructor(total: number, startAt: number, now: () => number) {
		this.total = total;
		this.startAt = startAt;
		this.done = startAt;
		this.#now = now;
		this.#startedMs = now();
	}

	/** Share of the work that is done, in [0, 1]; 0 if the total is unknown. */
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
	 * Estimated seconds for the rest, at the mean speed so far. It grows while there is no progress, which shows a stall.
	 * Undefined in the first second, in the first 10 seconds if less than 2 % of the rest is done, before the first unit,
	 * or without a total.
	 */
	get secondsLeft(): number | undefined {
		if (this.seconds < SECONDS_BEFORE_ESTIMATE || this.speed === 0 || this.total === 0) return undefined;
		const isEarly = this.done - this.startAt < SHARE_BEFORE_ESTIMATE * (this.total - this.startAt);
		if (isEarly && this.seconds < MOST_SECONDS_WITHOUT_ESTIMATE) return undefined;
		return Math.max(0, this.total - this.done) / this.speed;
	}
}
