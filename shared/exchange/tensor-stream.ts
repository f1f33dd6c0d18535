import type { TensorChunk } from "../../proto/gen/tailtune/v1/TensorChunk.ts";
import type { TensorEnd } from "../../proto/gen/tailtune/v1/TensorEnd.ts";
import { checksumOf } from "../files/checksum.ts";
import { Refusal } from "../rpc/refusal.ts";
import { allFinite } from "../vectors/all-finite.ts";

/** Bytes per chunk on the wire; this size was the fastest. */
export const CHUNK_BYTES = 1 << 20;

/** Bytes of a number: float32, little-endian. The program does not start on big-endian machines. */
const NUMBER_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** Cuts a tensor that consists of some vectors into chunks, which are views of them. */
export function* tensorChunks(...vectors: readonly Float32Array[]): Generator<TensorChunk> {
	for (const cut of cutTensor(vectors)) yield withChecksum(cut);
}

/** A chunk without its checksum. */
type Cut = Omit<TensorChunk, "xxh64">;

function* cutTensor(vectors: readonly Float32Array[]): Generator<Cut> {
	let byteOffset = 0;
	for (const { buffer, byteOffset: start, byteLength } of vectors) {
		for (let from = 0; from < byteLength; from += CHUNK_BYTES) {
			const data = Buffer.from(buffer, start + from, Math.min(CHUNK_BYTES, byteLength - from));
			yield { byteOffset, data };
			byteOffset += data.length;
		}
	}
}

function withChecksum(cut: Cut): TensorChunk {
	return { ...cut, xxh64: checksumOf(cut.data) };
}

/** Returns the bytes of a tensor that consists of some vectors. */
function tensorBytes(...vectors: readonly Float32Array[]): number {
	return vectors.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** A message of a stream that sends a tensor. */
export type TensorPart = { chunk: TensorChunk } | { end: TensorEnd };

/** The messages of a tensor for several receivers. Each is made when it is first needed, and kept for the others. */
export class KeptParts {
	readonly #cuts: readonly Cut[];
	readonly #kept: TensorPart[] = [];
	readonly #byteLength: number;

	/** @param vectors of the tensor; don't write to them while this object is in use */
	constructor(...vectors: readonly Float32Array[]) {
		this.#cuts = [...cutTensor(vectors)];
		this.#byteLength = tensorBytes(...vectors);
	}

	/**
	 * Returns the messages after the first bytes, for a receiver that has these.
	 * @throws Refusal if the bytes aren't whole chunks
	 */
	after(byteOffset: number): Generator<TensorPart> {
		const isEnd = byteOffset === this.#byteLength;
		const first = isEnd ? this.#cuts.length : this.#cuts.findIndex((cut) => cut.byteOffset === byteOffset);
		if (first >= 0) return this.#from(first);
		const expected = `expected the start of a chunk or the end at byte ${this.#byteLength}`;
		throw new Refusal("REFUSAL_OFFSET", `no chunk begins at byte ${byteOffset}, ${expected}`);
	}

	*#from(first: number): Generator<TensorPart> {
		for (const [i, cut] of this.#cuts.entries()) {
			if (i < first) continue;
			const part = this.#kept[i] ?? { chunk: withChecksum(cut) };
			this.#kept[i] = part;
			yield part;
		}
		yield { end: { byteLength: this.#byteLength } };
	}
}

/** Assembles a tensor from its chunks, and refuses chunks that are wrong. */
export class TensorReceiver {
	readonly #vectors: readonly Float32Array[];
	readonly #total: number;
	#received = 0;

	/** @param vectors written to, one after the other, from the first chunk on */
	constructor(...vectors: readonly Float32Array[]) {
		this.#vectors = vectors;
		this.#total = tensorBytes(...vectors);
	}

	/** Bytes that were added. */
	get received(): number {
		return this.#received;
	}

	/**
	 * Adds the next chunk.
	 * @throws Refusal if it has the wrong offset or checksum, is too long, ends within a number, or has a NaN or infinity
	 */
	add({ byteOffset, data, xxh64 }: TensorChunk): void {
		const total = this.#total;
		if (byteOffset !== this.#received)
			throw new Refusal("REFUSAL_ORDER", `a chunk begins at byte ${byteOffset}, expected ${this.#received}`);
		if (data.length === 0 || data.length % NUMBER_BYTES !== 0)
			throw new Refusal(
				"REFUSAL_MALFORMED",
				`a chunk of ${data.length} bytes, expected numbers of ${NUMBER_BYTES} bytes`,
			);
		if (byteOffset + data.length > total)
			throw new Refusal("REFUSAL_LENGTH", `at least ${byteOffset + data.length} bytes, expected ${total}`);
		const checksum = checksumOf(data);
		if (!checksum.equals(xxh64))
			throw new Refusal(
				"REFUSAL_CHECKSUM",
				`found XXH64 ${checksum.toString("hex")}, expected ${Buffer.from(xxh64).toString("hex")}`,
			);
		for (const [place, bytes] of this.#placesOf(byteOffset, data)) {
			// A copy of bytes, because they may have any alignment.
			new Uint8Array(place.buffer, place.byteOffset, place.byteLength).set(bytes);
			if (allFinite(place)) continue;
			const [from, to] = [byteOffset, byteOffset + data.length].map((at) => at / NUMBER_BYTES);
			throw new Refusal("REFUSAL_NOT_FINITE", `numbers ${from} to ${to} hold NaN or infinity`);
		}
		this.#received += data.length;
	}

	/** Divides the bytes of a chunk among the vectors. */
	*#placesOf(byteOffset: number, data: Uint8Array): Generator<readonly [Float32Array, Uint8Array]> {
		let start = 0;
		for (const vector of this.#vectors) {
			const from = Math.max(byteOffset, start);
			const to = Math.min(byteOffset + data.length, start + vector.byteLength);
			if (from < to) {
				const place = vector.subarray((from - start) / NUMBER_BYTES, (to - start) / NUMBER_BYTES);
				yield [place, data.subarray(from - byteOffset, to - byteOffset)];
			}
			start += vector.byteLength;
		}
	}

	/** Checks that the tensor is complete. @returns its bytes @throws Refusal if it isn't */
	assertWhole(): number {
		if (this.#received === this.#total) return this.#total;
		throw new Refusal("REFUSAL_LENGTH", `${this.#received} bytes, expected ${this.#total}`);
	}
}

/** Compares the size in a stream's last message with the bytes received. @throws Refusal if they differ */
export function checkEnd({ byteLength }: TensorEnd, received: number): void {
	if (byteLength === received) return;
	throw new Refusal("REFUSAL_LENGTH", `${byteLength} bytes announced at the end, received ${received}`);
}
