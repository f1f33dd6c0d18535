import { TailtuneError } from "../errors.ts";
import { allFinite } from "../vectors/all-finite.ts";
import type { WireFormat } from "./tensor-schema.ts";

/** Bytes per number on the wire. */
export const BYTES_OF: Readonly<Record<WireFormat, number>> = { f32: 4, bf16: 2 };

/**
 * Encodes numbers for the wire, little-endian; the result is a view of them for float32. The program does not start on
 * big-endian machines.
 * @param scratch memory for bfloat16, of which the result is then a view; at least as long as `numbers`
 * @throws TailtuneError "diverged" if NaN or infinity would have to be rounded
 */
export function encode(wire: WireFormat, numbers: Float32Array, scratch: Uint16Array): Buffer {
	if (wire === "f32") return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
	const { length } = numbers;
	const bits = new Int32Array(numbers.buffer, numbers.byteOffset, length);
	let marks = 0;
	// Rounds to nearest, ties to even: adds half a unit of the last kept place, less one if that place is even.
	for (let i = 0; i < length; i++) {
		const pattern = bits[i] as number;
		marks |= (pattern & 0x7fffffff) + 0x00800000;
		scratch[i] = (pattern + 0x7fff + ((pattern >>> 16) & 1)) >> 16;
	}
	if (marks < 0) throw notFinite();
	return Buffer.from(scratch.buffer, scratch.byteOffset, 2 * length);
}

/**
 * Rounds numbers to the wire format, as `encode` and `decode` would.
 * @param to receives the result, of the same length; may be `numbers`
 * @throws TailtuneError "diverged" if NaN or infinity would have to be rounded, or would be the result
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
 * Decodes numbers from the wire; the bytes may have any alignment.
 * @param to receives them; of the same length
 * @returns whether all are finite
 */
export function decode(wire: WireFormat, bytes: Uint8Array, to: Float32Array): boolean {
	if (wire === "bf16") return decodeHalves(toHalves(bytes), new Int32Array(to.buffer, to.byteOffset, to.length));
	new Uint8Array(to.buffer, to.byteOffset, to.byteLength).set(bytes);
	return allFinite(to);
}

// Widens and checks in one pass; see allFinite.
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
