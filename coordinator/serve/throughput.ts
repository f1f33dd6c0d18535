/** Weight of the latest batch in the mean. */
const LATEST = 0.2;

/** Estimates the time per token under load, of all workers together: an exponential mean over the last batches. */
export class Throughput {
	readonly #now: () => number;
	#msPerToken: number | undefined;
	#lastEndMs = Number.NEGATIVE_INFINITY;

	/** @param now milliseconds of a monotonic clock */
	constructor(now: () => number) {
		this.#now = now;
	}

	/**
	 * Records the start of a batch. Returns a function that records its end.
	 * @param isLoaded whether the batch was full or others waited; others don't count, because single texts take longer
	 * per token
	 */
	begin(tokens: number, isLoaded: boolean): () => void {
		const startMs = this.#now();
		return () => {
			const endMs = this.#now();
			// If batches overlap, only the time since the previous end belongs to this one.
			const msPerToken = (endMs - Math.max(startMs, this.#lastEndMs)) / tokens;
			this.#lastEndMs = endMs;
			if (!isLoaded) return;
			this.#msPerToken = (1 - LATEST) * (this.#msPerToken ?? msPerToken) + LATEST * msPerToken;
		};
	}

	/** Milliseconds that this number of tokens will take; 0 before the first measurement. */
	msFor(tokens: number): number {
		return tokens * (this.#msPerToken ?? 0);
	}
}
