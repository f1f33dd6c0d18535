/** A signal that aborts with the first of several ones. */
export interface JoinedSignals {
	readonly signal: AbortSignal;
	/** Separates the signal from the others; call it when the work is done. */
	readonly release: () => void;
}

/**
 * Joins signals for a short piece of work. `AbortSignal.any` would leave 60 bytes at each of them for every call (Node
 * 20.20), which adds up at a signal that lasts as long as a server.
 */
export function joinSignals(...signals: readonly AbortSignal[]): JoinedSignals {
	const joined = new AbortController();
	const abort = () => joined.abort(signals.find(({ aborted }) => aborted)?.reason);
	for (const signal of signals) signal.addEventListener("abort", abort);
	const release = () => {
		for (const signal of signals) signal.removeEventListener("abort", abort);
	};
	if (signals.some(({ aborted }) => aborted)) abort();
	return { signal: joined.signal, release };
}
