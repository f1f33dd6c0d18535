/**
 * A time limit for work that another signal can end, too. Node (20.20) frees an AbortSignal.timeout that is only used
 * in AbortSignal.any, so that it never aborts; the timer of a limit keeps its signal.
 */
export class TimeLimit {
	readonly #timeout = new AbortController();
	readonly #timer: NodeJS.Timeout;
	/** Aborts when the time is over, or with the other signal. */
	readonly signal: AbortSignal;

	/** @param ms the time, in milliseconds */
	constructor(ms: number, other: AbortSignal) {
		this.signal = AbortSignal.any([this.#timeout.signal, other]);
		this.#timer = setTimeout(() => this.#timeout.abort(new Error("no answer")), ms).unref();
	}

	/** Whether the time is over. */
	get isOver(): boolean {
		return this.#timeout.signal.aborted;
	}

	/** Begins the time again. */
	restart(): void {
		this.#timer.refresh();
	}

	/** Ends the limit: the time will not be over any more. */
	end(): void {
		clearTimeout(this.#timer);
	}
}
