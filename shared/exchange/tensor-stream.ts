import type { TensorChunk } from "../../proto/gen/tailtune/v1/TensorChunk.ts";
import type { TensorEnd } from "../../proto/gen/tailtune/v1/TensorEnd.ts";
import { checksumOf } from "../files/checksum.ts";
import { Refusal } from "../rpc/refusal.ts";
import { allFinite } from "../vectors/all-finite.ts";

/** Bytes per chunk on the wire; this size was the fastest. */
export const CHUNK_BYTES = 1 << 20;

/** Bytes of a number: float32, little-endian. The program does not start on big-endian machines. */
const NUMBER_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** Cuts a tensor into chunks, which are views of it. */
export function* tensorChunks({ buffer, byteOffset: start, byteLength }: Float32Array): Generator<TensorChunk> {
	for (let byteOffset = 0; byteOffset < byteLength; byteOffset += CHUNK_BYTES) {
		const data = Buffer.from(buffer, start + byteOffset, Math.min(CHUNK_BYTES, byteLength - byteOffset));
		yield { byteOffset, data, xxh64: checksumOf(data) };
	}
}

/** A message of a stream that sends a parameter vector. */
export type TensorPart = { chunk: TensorChunk } | { end: TensorEnd };

/** The messages of a tensor for several receivers. They are made for the first receiver and kept for the others. */
export class KeptParts {
	readonly #kept: TensorPart[] = [];
	readonly #rest: Iterator<TensorChunk>;
	readonly #end: TensorPart;

	/** @param tensor don't write to it while this object is in use */
	constructor(tensor: Float32Array) {
		this.#rest = tensorChunks(tensor);
		this.#end = { end: { byteLength: tensor.byteLength } };
	}

	*[Symbol.iterator](): Generator<TensorPart> {
		for (let i = 0; ; i++) {
			const next = this.#kept.length === i ? this.#rest.next() : undefined;
			if (next?.done) break;
			if (next) this.#kept.push({ chunk: next.value });
			yield this.#kept[i] as TensorPart;
		}
		yield this.#end;
	}
}

/** Assembles a tensor from its chunks, and refuses chunks that are wrong. */
export class TensorReceiver {
	readonly #target: Float32Array;
	#received = 0;

	/** @param target written to from the first chunk on */
	constructor(target: Float32Array) {
		this.#target = target;
	}

	/**
	 * Adds the next chunk.
	 * @throws Refusal if it has the wrong offset or checksum, is too long, ends within a number, or has a NaN or infinity
	 */
	add({ byteOffset, data, xxh64 }: TensorChunk): void {
		const total = this.#target.byteLength;
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
		const from = byteOffset / NUMBER_BYTES;
		const place = this.#target.subarray(from, from + data.length / NUMBER_BYTES);
		// A copy of bytes, because they may have any alignment.
		new Uint8Array(place.buffer, place.byteOffset, place.byteLength).set(data);
		if (!allFinite(place))
			throw new Refusal("REFUSAL_NOT_FINITE", `numbers ${from} to ${from + place.length} hold NaN or infinity`);
		this.#received += data.length;
	}

	/** Checks that the tensor is complete. @returns its bytes @throws Refusal if it isn't */
	assertWhole(): number {
		const total = this.#target.byteLength;
		if (this.#received === total) return total;
		throw new Refusal("REFUSAL_LENGTH", `${this.#received} bytes, expected ${total}`);
	}
}

/** Compares the size in a stream's last message with the bytes received. @throws Refusal if they differ */
export function checkEnd({ byteLength }: TensorEnd, received: number): void {
	if (byteLength === received) return;
	throw new Refusal("REFUSAL_LENGTH", `${byteLength} bytes announced at the end, received ${received}`);
}
