/** Source of timers: real time, or the virtual time of a test. */
export interface Clock {
	/** Calls back once after a delay; never if it is Infinity. Returns a function that cancels the call. */
	schedule(callback: () => void, delayMs: number): () => void;
}

/** Real time; its timers don't keep the process alive. */
export const realClock: Clock = {
	schedule(callback, delayMs) {
		if (delayMs === Number.POSITIVE_INFINITY) return () => {};
		const timer = setTimeout(callback, delayMs).unref();
		return () => clearTimeout(timer);
	},
};
