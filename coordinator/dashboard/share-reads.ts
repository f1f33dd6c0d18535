/**
 * Returns a function for many callers: it reads only if the last answer is older than `maxAgeMs`. While a read isn't
 * finished, or after it, all callers get the same answer; after an error the next caller reads again.
 */
export function shareReads<T>(read: () => Promise<T>, maxAgeMs: number): () => Promise<T> {
	let last: { readonly answer: Promise<T>; isPending: boolean; readonly beganMs: number } | undefined;
	return () => {
		const beganMs = performance.now();
		if (last && (last.isPending || beganMs - last.beganMs <= maxAgeMs)) return last.answer;
		const reading = { answer: read(), isPending: true, beganMs };
		last = reading;
		const isAnswered = () => {
			reading.isPending = false;
		};
		const isFailed = () => {
			last = undefined;
		};
		reading.answer.then(isAnswered, isFailed);
		return reading.answer;
	};
}
