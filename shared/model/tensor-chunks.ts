import type { StoredTensor } from "./model-files.ts";
import { openToRead, readFully } from "./safetensors.ts";

const CHUNK_BYTES = 1 << 22;

/** Memory for `readTensorChunks`, one for as many tensors as are read one after the other. */
export type ChunkBuffers = readonly [Uint8Array, Uint8Array];

/** A pair for all tensors: to allocate and clear one for each takes longer than to hash them. */
export function chunkBuffers(): ChunkBuffers {
	return [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)];
}

/**
 * A stored tensor's bytes, a chunk at a time: the next is read while the one before is worked on, and each is valid until
 * the next is asked for.
 * @throws TailtuneError "model" where the file has become shorter than its header says
 */
export async function* readTensorChunks(
	{ file, offset, byteLength }: StoredTensor,
	buffers: ChunkBuffers,
): AsyncGenerator<Uint8Array> {
	const handle = await openToRead(file);
	try {
		const readAt = async (place: number) => {
			const chunk = buffers[(place / CHUNK_BYTES) % 2 ? 1 : 0].subarray(
				0,
				Math.max(0, Math.min(CHUNK_BYTES, byteLength - place)),
			);
			await readFully(handle, chunk, offset + place, file);
			return chunk;
		};
		let next = readAt(0);
		for (let place = 0; place < byteLength; place += CHUNK_BYTES) {
			const chunk = await next;
			next = readAt(place + CHUNK_BYTES);
			next.catch(() => {}); // told when its turn has come
			yield chunk;
		}
		await next;
	} finally {
		await handle.close();
	}
}
