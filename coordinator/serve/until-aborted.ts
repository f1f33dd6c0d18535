/** Yields items until `signal` aborts; a pending read is then abandoned. */
export async function* iterateUntilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
	const iterator = source[Symbol.asyncIterator]();
	const { promise: aborted, resolve } = withResolvers();
	signal.addEventListener("abort", resolve);
	if (signal.aborted) resolve();
	try {
		for (;;) {
			const next = await Promise.race([iterator.next(), aborted]);
			if (!next || next.done) return;
			yield next.value;
		}
	} finally {
		signal.removeEventListener("abort", resolve);
	}
}

// Node 20 has no Promise.withResolvers.
function withResolvers(): { promise: Promise<void>; resolve: () => void } {
	let resolve = () => {};
	const promise = new Promise<void>((settle) => {
		resolve = settle;
	});
	return { promise, resolve };
}
