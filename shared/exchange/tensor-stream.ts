import type { TensorChunk } from "../../proto/gen/tailtune/v1/TensorChunk.ts";
import type { TensorEnd } from "../../proto/gen/tailtune/v1/TensorEnd.ts";
import { checksumOf } from "../files/checksum.ts";
import { Refusal } from "../rpc/refusal.ts";
import type { WireFormat } from "./tensor-schema.ts";
import { BYTES_OF, decode, encode } from "./wire-format.ts";

/** Bytes of a chunk on the wire: the size that moved fastest. */
export const CHUNK_BYTES = 1 << 20;

/**
 * A tensor cut into chunks. Of float32 no copy is made.
 * @param scratch takes what is rounded: as long as the tensor, or else each chunk is valid until the next is asked for
 * @throws TailtuneError "diverged" where NaN or infinity would have to be rounded to bfloat16
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

/** Bytes that a tensor takes on the wire. */
export function bytesOnWire(length: number, wire: WireFormat): number {
	return length * BYTES_OF[wire];
}

/** A message of the stream that a parameter vector is sent in. */
export type TensorPart = { chunk: TensorChunk } | { end: TensorEnd };

/** The messages of a tensor that several receivers want: made when the first asks, kept for the others. */
export class KeptParts {
	readonly #kept: TensorPart[] = [];
	readonly #rest: Iterator<TensorChunk>;
	readonly #end: TensorPart;

	/** @param scratch as long as the tensor where it is rounded; both stay as they are as long as this is in use */
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

/** Puts a tensor together from its chunks, and refuses whatever is not exactly that tensor. */
export class TensorReceiver {
	readonly #target: Float32Array;
	readonly #wire: WireFormat;
	#received = 0;

	/** @param target written to from the first chunk on */
	constructor(target: Float32Array, wire: WireFormat) {
		this.#target = target;
		this.#wire = wire;
	}

	/** @throws Refusal where the chunk isn't the next one or as it was sent, too long, cut within a number, or not finite */
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

	/** Checks that all has arrived. @returns its bytes @throws Refusal if the tensor isn't whole */
	assertWhole(): number {
		const total = this.#target.length * BYTES_OF[this.#wire];
		if (this.#received === total) return total;
		throw new Refusal("REFUSAL_LENGTH", `${this.#received} bytes, expected ${total}`);
	}
}

/** Compares what the end of a stream says with what has arrived. @throws Refusal if they differ */
export function checkEnd({ byteLength }: TensorEnd, received: number): void {
	if (byteLength === received) return;
	throw new Refusal("REFUSAL_LENGTH", `${byteLength} bytes announced at the end, received ${received}`);
}
