import type { Readable } from "node:stream";
import { TailtuneError } from "../../shared/errors.ts";
import { openRegularFile, toReadError } from "../../shared/files/regular-file.ts";

/** A file or standard input as a stream of bytes. */
export interface OpenBytes {
	/** Can be read once. Throws TailtuneError "data" if it can't be read, or is too long. */
	readonly chunks: AsyncIterable<Buffer>;
	/** Closes the file; needed only if the chunks are not read to the end. */
	readonly close: () => void;
}

/** Name of standard input in messages. */
export const STANDARD_INPUT = "standard input";

const CHUNK_BYTES = 256 << 10;

/**
 * Opens a file for reading.
 * @param atMost maximum number of bytes; a longer file is refused before it is read
 * @throws TailtuneError "not-found", or "data" if it isn't a regular file or is too long
 */
export async function openBytes(path: string, atMost = Number.POSITIVE_INFINITY): Promise<OpenBytes> {
	const file = await openRegularFile(path, "data");
	const { size } = await file.stat();
	if (size > atMost) {
		await file.close();
		throw tooLong(path, size, atMost);
	}
	return streamOf(file.createReadStream({ highWaterMark: CHUNK_BYTES }), path, atMost);
}

/** Opens standard input for reading. It can be opened once. */
export function openInput(atMost = Number.POSITIVE_INFINITY): OpenBytes {
	return streamOf(process.stdin, STANDARD_INPUT, atMost);
}

function streamOf(stream: Readable, name: string, atMost: number): OpenBytes {
	return { chunks: readWithin(read(), name, atMost), close: () => void stream.destroy() };

	async function* read() {
		try {
			yield* stream as AsyncIterable<Buffer>;
		} catch (error) {
			throw toReadError(name, error);
		}
	}
}

/** Passes chunks on. Throws TailtuneError "data" once they have more than `atMost` bytes together. */
export async function* readWithin(
	chunks: AsyncIterable<Buffer>,
	name: string,
	atMost = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
	let bytes = 0;
	for await (const chunk of chunks) {
		bytes += chunk.length;
		if (bytes > atMost) throw tooLong(name, bytes, atMost);
		yield chunk;
	}
}

function tooLong(name: string, bytes: number, atMost: number): TailtuneError {
	return new TailtuneError("data", `${name}: found at least ${bytes} bytes, expected at most ${atMost}`);
}
