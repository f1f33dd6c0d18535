import { createHash } from "node:crypto";
import { allFinite } from "../all-finite.ts";
import type { StoredTensor, StoredType } from "./model-files.ts";
import { openToRead, readFully } from "./safetensors.ts";

/** What one reading of all tensors tells. */
export interface TensorScan {
	/** sha256 over name, type, shape and bytes of each tensor in name order; hexadecimal. */
	readonly hash: string;
	/** A tensor with NaN or infinity in it; undefined where all numbers are finite. */
	readonly notFinite: string | undefined;
}

const CHUNK_BYTES = 1 << 22;

/** Reads every tensor once, in chunks. Throws TailtuneError "model" where a file has become shorter than its header says. */
export async function scanTensors(tensors: ReadonlyMap<string, StoredTensor>): Promise<TensorScan> {
	const hash = createHash("sha256");
	// One pair for all tensors: to allocate and clear one for each took longer than to hash them.
	const buffers = [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)] as const;
	let notFinite: string | undefined;
	for (const name of [...tensors.keys()].sort()) {
		const tensor = tensors.get(name) as StoredTensor;
		hash.update(`${JSON.stringify([name, tensor.type, tensor.shape])}\n`);
		for await (const chunk of chunksOf(tensor, buffers)) {
			hash.update(chunk);
			if (notFinite === undefined && !holdsFinite(tensor.type, chunk)) notFinite = name;
		}
	}
	return { hash: hash.digest("hex"), notFinite };
}

// The next chunk is read while the one before is worked on; each is valid until the next is asked for.
async function* chunksOf(
	{ file, offset, byteLength }: StoredTensor,
	buffers: readonly [Uint8Array, Uint8Array],
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
			yield chunk;
		}
		await next;
	} finally {
		await handle.close();
	}
}

function holdsFinite(type: StoredType, bytes: Uint8Array): boolean {
	if (type === "F32") return allFinite(new Float32Array(bytes.buffer, 0, bytes.length / 4));
	// NaN and infinity are the patterns with all bits of the exponent set.
	const exponent = type === "F16" ? 0x7c00 : 0x7f80;
	const patterns = new Uint16Array(bytes.buffer, 0, bytes.length / 2);
	for (let i = 0; i < patterns.length; i++) if (((patterns[i] as number) & exponent) === exponent) return false;
	return true;
}
