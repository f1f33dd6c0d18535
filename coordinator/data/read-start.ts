/** The first chunks of a stream, and the whole stream. */
export interface Started<T> {
	readonly start: readonly T[];
	/** Whether the stream has no more chunks than `start`. */
	readonly isWhole: boolean;
	/** All chunks, those of `start` included. Can be read once. */
	readonly all: AsyncGenerator<T>;
}

/**
 * Reads the start of a stream, so that it can be decided how to read the whole stream.
 * @param atLeast least sum of the chunks' lengths to read, if the stream is that long
 */
export async function readStart<T extends { readonly length: number }>(
	chunks: AsyncIterable<T>,
	atLeast: number,
): Promise<Started<T>> {
	const iterator = chunks[Symbol.asyncIterator]();
	const start: T[] = [];
	let length = 0;
	let isWhole = false;
	while (length < atLeast && !isWhole) {
		const { done, value } = await iterator.next();
		if (done) isWhole = true;
		else {
			start.push(value);
			length += value.length;
		}
	}
	return { start, isWhole, all: chain(start, iterator) };
}

async function* chain<T>(start: readonly T[], rest: AsyncIterator<T>): AsyncGenerator<T> {
	try {
		yield* start;
		for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
	} finally {
		await rest.return?.();
	}
}
