import test from "ava";
import fc from "fast-check";
import { allocateVectors } from "../../../shared/vectors/allocate-vectors.ts";
import { fingerprintOf } from "../../../shared/vectors/fingerprint.ts";

/** The definition of the fingerprint, number by number; groups of 4 are filled up with zeros. */
function definedFingerprint(numbers: Float32Array): number {
	const bits = new Uint32Array(Math.ceil(numbers.length / 4) * 4);
	bits.set(new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length));
	let sum = numbers.length;
	for (const [position, value] of bits.entries()) {
		let hash = (value + Math.imul(0x9e3779b9, position)) >>> 0;
		hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
		hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
		sum = (sum + (hash ^ (hash >>> 16))) >>> 0;
	}
	return sum;
}

/** Numbers with arbitrary bits, NaN with every payload among them. */
function numbersOfBits(length: number, seed: number): Float32Array {
	let state = seed;
	return new Float32Array(
		Uint32Array.from({ length }, () => {
			state = (Math.imul(state, 1664525) + 1013904223) | 0;
			return state;
		}).buffer,
	);
}

/** Copies bits; `set` may change those of NaN. */
function copyBits(to: Float32Array, from: Float32Array): void {
	new Uint8Array(to.buffer, to.byteOffset, to.byteLength).set(new Uint8Array(from.buffer));
}

const lengths = fc.oneof(fc.nat(40), fc.integer({ min: 2040, max: 4100 }));

test("the fingerprint is as defined, in any memory and at any place in it", (t) => {
	fc.assert(
		fc.property(lengths, fc.nat(3), fc.integer(), (length, shift, seed) => {
			const numbers = numbersOfBits(length, seed);
			const [resident] = allocateVectors(length + shift);
			const inside = resident.subarray(shift);
			copyBits(inside, numbers);
			const expected = definedFingerprint(numbers);
			t.is(fingerprintOf(numbers), expected);
			t.is(fingerprintOf(inside), expected);
		}),
	);
});

test("threads don't change the fingerprint of many numbers", (t) => {
	const numbers = numbersOfBits(1_500_003, 7);
	const [resident] = allocateVectors(numbers.length);
	copyBits(resident, numbers);
	const expected = definedFingerprint(numbers);
	for (const threads of [1, 2, 3]) t.is(fingerprintOf(resident, threads), expected, `${threads}`);
});

test("every changed bit of every number changes the fingerprint", (t) => {
	const numbers = numbersOfBits(150, 1);
	const bits = new Uint32Array(numbers.buffer);
	const found = new Set([fingerprintOf(numbers)]);
	for (let i = 0; i < bits.length; i++) {
		for (let bit = 0; bit < 32; bit++) {
			bits[i] = (bits[i] as number) ^ (1 << bit);
			found.add(fingerprintOf(numbers));
			bits[i] = (bits[i] as number) ^ (1 << bit);
		}
	}
	t.is(found.size, 1 + 150 * 32);
});

test("swapped, shifted, removed and added numbers change the fingerprint", (t) => {
	// Values with few different bits, at distances that are powers of two.
	const round = fc.constantFrom(0, 1, -1, 2, 0.5, 3, 1024);
	fc.assert(
		fc.property(fc.array(round, { minLength: 2, maxLength: 600 }), fc.nat(), fc.nat(9), (values, at, power) => {
			const expected = fingerprintOf(Float32Array.from(values));
			const [one, other] = [at % values.length, (at + 2 ** power) % values.length];
			const swapped = Float32Array.from(values);
			[swapped[one], swapped[other]] = [values[other] as number, values[one] as number];
			t.is(fingerprintOf(swapped) === expected, values[one] === values[other]);
			const shifted = Float32Array.from([...values.slice(1), values[0] as number]);
			t.is(
				fingerprintOf(shifted) === expected,
				values.every((value) => value === values[0]),
			);
			t.not(fingerprintOf(Float32Array.from(values.slice(1))), expected);
			t.not(fingerprintOf(Float32Array.from([...values, 0])), expected);
		}),
	);
});
