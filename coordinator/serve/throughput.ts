/** Weight of the latest batch in the mean. */
const LATEST = 0.2;

/** How fast texts are answered when many wait, all workers together: a mean over the last batches. */
export class Pace {
	readonly #now: () => number;
	#msPerToken: number | undefined;
	#lastEndMs = Number.NEGATIVE_INFINITY;

	/** @param now milliseconds that never go back */
	constructor(now: () => number) {
		this.#now = now;
	}

	/**
	 * A batch of so many tokens begins. Returns what tells of its end.
	 * @param isLoaded whether there was enough to do: a token of a lone text takes longer than one of many
	 */
	begin(tokens: number, isLoaded: boolean): () => void {
		const startMs = this.#now();
		return () => {
			const endMs = this.#now();
			// While batches overlap, one that ends tells only of the time since the one that ended before it.
			const msPerToken = (endMs - Math.max(startMs, this.#lastEndMs)) / tokens;
			this.#lastEndMs = endMs;
			if (!isLoaded) return;
			this.#msPerToken = (1 - LATEST) * (this.#msPerToken ?? msPerToken) + LATEST * msPerToken;
		};
	}

	/** Milliseconds that so many tokens will take; 0 before anything was measured. */
	msFor(tokens: number): number {
		return tokens * (this.#msPerToken ?? 0);
	}
}
