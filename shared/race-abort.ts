/**
 * Settles like the promise, or rejects with the signal's reason when it aborts. The work behind the promise continues.
 */
export function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
	return new Promise((resolve, reject) => {
		const abort = () => reject(signal.reason);
		const settled = () => signal.removeEventListener("abort", abort);
		signal.addEventListener("abort", abort);
		promise.then(resolve, reject).finally(settled);
		if (signal.aborted) abort();
	});
}
