import type { TensorChunk } from "../../proto/gen/tailtune/v1/TensorChunk.ts";
import type { TensorEnd } from "../../proto/gen/tailtune/v1/TensorEnd.ts";
import { checksumOf } from "../files/checksum.ts";
import { Refusal } from "../rpc/refusal.ts";
import type { WireFormat } from "./tensor-schema.ts";
import { BYTES_OF, decode, encode } from "./wire-format.ts";

/** Bytes per chunk on the wire; this size was the fastest. */
export const CHUNK_BYTES = 1 << 20;

/**
 * Cuts a tensor into chunks. Chunks of float32 are views of it.
 * @param scratch memory for rounded numbers; if it is shorter than the tensor, a chunk is only valid until the next one
 * @throws TailtuneError "diverged" if NaN or infinity would have to be rounded to bfloat16
 */
export function* tensorChunks(
	tensor: Float32Array,
	wire: WireFormat,
	scratch: Uint16Array = new Uint16Array(wire === "bf16" ? CHUNK_BYTES / BYTES_OF[wire] : 0),
): Generator<TensorChunk> {
	const step = CHUNK_BYTES / BYTES_OF[wire];
	const holdsAll = scratch.length >= tensor.length;
	let byteOffset = 0;
	for (let from = 0; from < tensor.length; from += step) {
		const data = encode(wire, tensor.subarray(from, from + step), holdsAll ? scratch.subarray(from) : scratch);
		yield { byteOffset, data, xxh64: checksumOf(data) };
		byteOffset += data.length;
	}
}

/** Returns the bytes of a tensor on the wire. */
export function bytesOnWire(length: number, wire: WireFormat): number {
	return length * BYTES_OF[wire];
}

/** A message of a stream that sends a parameter vector. */
export type TensorPart = { chunk: TensorChunk } | { end: TensorEnd };

/** The messages of a tensor for several receivers. They are made for the first receiver and kept for the others. */
export class KeptParts {
	readonly #kept: TensorPart[] = [];
	readonly #rest: Iterator<TensorChunk>;
	readonly #end: TensorPart;

	/** @param scratch as long as the tensor if it is rounded; don't write to either while this object is in use */
	constructor(tensor: Float32Array, wire: WireFormat, scratch: Uint16Array) {
		this.#rest = tensorChunks(tensor, wire, scratch);
		this.#end = { end: { byteLength: bytesOnWire(tensor.length, wire) } };
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
	readonly #wire: WireFormat;
	#received = 0;

	/** @param target written to from the first chunk on */
	constructor(target: Float32Array, wire: WireFormat) {
		this.#target = target;
		this.#wire = wire;
	}

	/**
	 * Adds the next chunk.
	 * @throws Refusal if it has the wrong offset or checksum, is too long, ends within a number, or has a NaN or infinity
	 */
	add({ byteOffset, data, xxh64 }: TensorChunk): void {
		const bytesOfOne = BYTES_OF[this.#wire];
		const total = this.#target.length * bytesOfOne;
		if (byteOffset !== this.#received)
			throw new Refusal("REFUSAL_ORDER", `a chunk begins at byte ${byteOffset}, expected ${this.#received}`);
		if (data.length === 0 || data.length % bytesOfOne !== 0)
			throw new Refusal(
				"REFUSAL_MALFORMED",
				`a chunk of ${data.length} bytes, expected numbers of ${bytesOfOne} bytes`,
			);
		if (byteOffset + data.length > total)
			throw new Refusal("REFUSAL_LENGTH", `at least ${byteOffset + data.length} bytes, expected ${total}`);
		const checksum = checksumOf(data);
		if (!checksum.equals(xxh64))
			throw new Refusal(
				"REFUSAL_CHECKSUM",
				`found XXH64 ${checksum.toString("hex")}, expected ${Buffer.from(xxh64).toString("hex")}`,
			);
		const from = byteOffset / bytesOfOne;
		const place = this.#target.subarray(from, from + data.length / bytesOfOne);
		if (!decode(this.#wire, data, place))
			throw new Refusal("REFUSAL_NOT_FINITE", `numbers ${from} to ${from + place.length} hold NaN or infinity`);
		this.#received += data.length;
	}

	/** Checks that the tensor is complete. @returns its bytes @throws Refusal if it isn't */
	assertWhole(): number {
		const total = this.#target.length * BYTES_OF[this.#wire];
		if (this.#received === total) return total;
		throw new Refusal("REFUSAL_LENGTH", `${this.#received} bytes, expected ${total}`);
	}
}

/** Compares the size in a stream's last message with the bytes received. @throws Refusal if they differ */
export function checkEnd({ byteLength }: TensorEnd, received: number): void {
	if (byteLength === received) return;
	throw new Refusal("REFUSAL_LENGTH", `${byteLength} bytes announced at the end, received ${received}`);
}
