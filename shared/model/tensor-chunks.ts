import type { StoredTensor } from "./model-files.ts";
import { openToRead, readFully } from "./safetensors.ts";

const CHUNK_BYTES = 1 << 22;

/** Memory for `readTensorChunks`; can be reused for tensors that are read one after the other. */
export type ChunkBuffers = readonly [Uint8Array, Uint8Array];

/** Allocates buffers to share among tensors: allocating new ones per tensor takes longer than hashing them. */
export function allocateChunkBuffers(): ChunkBuffers {
	return [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)];
}

/**
 * Reads a stored tensor's bytes in chunks. The next chunk is read while the current one is processed; a chunk is valid
 * until the next one is requested.
 * @throws TailtuneError "model" if the file has become shorter than stated in its header
 */
export async function* readTensorChunks(
	{ file, offset, byteLength }: StoredTensor,
	buffers: ChunkBuffers,
): AsyncGenerator<Uint8Array> {
	const handle = await openToRead(file);
	try {
		const readAt = async (position: number) => {
			const chunk = buffers[(position / CHUNK_BYTES) % 2 ? 1 : 0].subarray(
				0,
				Math.max(0, Math.min(CHUNK_BYTES, byteLength - position)),
			);
			await readFully(handle, chunk, offset + position, file);
			return chunk;
		};
		let next = readAt(0);
		for (let position = 0; position < byteLength; position += CHUNK_BYTES) {
			const chunk = await next;
			next = readAt(position + CHUNK_BYTES);
			next.catch(() => {}); // thrown when it is awaited
			yield chunk;
		}
		await next;
	} finally {
		await handle.close();
	}
}
