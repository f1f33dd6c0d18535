import { TailtuneError } from "../errors.ts";
import { allFinite } from "../vectors/all-finite.ts";
import type { WireFormat } from "./tensor-schema.ts";

/** Bytes that a number takes on the wire. */
export const BYTES_OF: Readonly<Record<WireFormat, number>> = { f32: 4, bf16: 2 };

/**
 * Numbers in the form in which they are sent, little-endian; of float32 they are a view. Machines whose memory is big-endian
 * are refused when the program starts.
 * @param scratch takes the bytes of bfloat16, two for each number; the result is a view of it
 * @throws TailtuneError "diverged" where NaN or infinity would have to be rounded
 */
export function encode(wire: WireFormat, numbers: Float32Array, scratch: Uint16Array): Buffer {
	if (wire === "f32") return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
	const { length } = numbers;
	const bits = new Int32Array(numbers.buffer, numbers.byteOffset, length);
	let marks = 0;
	// To nearest, ties to even: half a unit of the last place kept, less one where that place is even.
	for (let i = 0; i < length; i++) {
		const pattern = bits[i] as number;
		marks |= (pattern & 0x7fffffff) + 0x00800000;
		scratch[i] = (pattern + 0x7fff + ((pattern >>> 16) & 1)) >> 16;
	}
	if (marks < 0) throw notFinite();
	return Buffer.from(scratch.buffer, scratch.byteOffset, 2 * length);
}

/**
 * Numbers as they arrive, without a journey: what `encode` and `decode` make of them.
 * @param to as many; may be the numbers themselves
 * @throws TailtuneError "diverged" where NaN or infinity would have to be rounded, or would come of it
 */
export function roundTo(wire: WireFormat, numbers: Float32Array, to: Float32Array): void {
	if (wire === "f32") {
		if (to !== numbers) to.set(numbers);
		return;
	}
	const { length } = numbers;
	const bits = new Int32Array(numbers.buffer, numbers.byteOffset, length);
	const rounded = new Int32Array(to.buffer, to.byteOffset, length);
	let marks = 0;
	for (let i = 0; i < length; i++) {
		const pattern = bits[i] as number;
		const half = (pattern + 0x7fff + ((pattern >>> 16) & 1)) & ~0xffff;
		marks |= ((pattern & 0x7fffffff) + 0x00800000) | ((half & 0x7fffffff) + 0x00800000);
		rounded[i] = half;
	}
	if (marks < 0) throw notFinite();
}

function notFinite(): TailtuneError {
	return new TailtuneError("diverged", "a tensor holds NaN or infinity, expected finite numbers of bfloat16");
}

/**
 * Reads numbers that travelled; the bytes may lie at any address.
 * @param to as many as the bytes hold
 * @returns whether all are finite
 */
export function decode(wire: WireFormat, bytes: Uint8Array, to: Float32Array): boolean {
	if (wire === "bf16") return decodeHalves(toHalves(bytes), new Int32Array(to.buffer, to.byteOffset, to.length));
	new Uint8Array(to.buffer, to.byteOffset, to.byteLength).set(bytes);
	return allFinite(to);
}

// Widened and looked at in one pass; see allFinite.
function decodeHalves(halves: Uint16Array, bits: Int32Array): boolean {
	const { length } = bits;
	let marks = 0;
	for (let i = 0; i < length; i++) {
		const pattern = (halves[i] as number) << 16;
		bits[i] = pattern;
		marks |= (pattern & 0x7fffffff) + 0x00800000;
	}
	return marks >= 0;
}

function toHalves(bytes: Uint8Array): Uint16Array {
	const { buffer, byteOffset, byteLength } = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
	return new Uint16Array(buffer, byteOffset, byteLength / 2);
}
