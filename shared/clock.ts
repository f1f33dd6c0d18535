/** Where time-outs come from: real time, or the virtual time of a test. */
export interface Clock {
	/** Calls back once after a delay, never where that is Infinity. Returns what cancels it. */
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
