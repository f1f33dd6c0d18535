import { raceAbort } from "../../shared/race-abort.ts";

/** Yields items until `signal` aborts; a pending read is then abandoned. */
export async function* iterateUntilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
	const iterator = source[Symbol.asyncIterator]();
	for (;;) {
		// A race with one promise for all items would keep each of them in memory until that promise settles.
		const next = await raceAbort(iterator.next(), signal).catch((error) => {
			if (!signal.aborted) throw error;
			return undefined;
		});
		if (!next || next.done) return;
		yield next.value;
	}
}
