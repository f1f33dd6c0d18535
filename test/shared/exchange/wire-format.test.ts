import test from "ava";
import fc from "fast-check";
import type { WireFormat } from "../../../shared/exchange/tensor-schema.ts";
import { TensorReceiver, tensorChunks } from "../../../shared/exchange/tensor-stream.ts";
import { BYTES_OF, decode, encode, roundTo } from "../../../shared/exchange/wire-format.ts";
import { sameBits } from "./conformance.ts";

const LARGEST_BF16 = 3.3895313892515355e38;
const finite = fc.float({
	noDefaultInfinity: true,
	noNaN: true,
	min: Math.fround(-LARGEST_BF16),
	max: Math.fround(LARGEST_BF16),
});

function throughWire(wire: WireFormat, numbers: Float32Array, shift = 0): Float32Array {
	const bytes = encode(wire, numbers, new Uint16Array(numbers.length));
	const moved = new Uint8Array(bytes.length + shift).subarray(shift);
	moved.set(bytes);
	const to = new Float32Array(numbers.length).fill(7);
	if (!decode(wire, moved, to)) throw new Error("expected finite numbers");
	return to;
}

/** The two bfloat16 numbers around a float32; the number nearer to zero is the first. */
function neighbours(value: number): [number, number] {
	const bits = new Uint32Array(Float32Array.of(value).buffer);
	const toward = (bits[0] as number) & 0xffff0000;
	const numbers = new Float32Array(Uint32Array.of(toward, toward + 0x10000).buffer);
	return [numbers[0] as number, numbers[1] as number];
}

test("float32 is decoded bit for bit, with any alignment of the bytes", (t) => {
	const property = fc.property(fc.array(finite), fc.nat(3), (values, shift) => {
		const numbers = Float32Array.from(values);
		return sameBits(throughWire("f32", numbers, shift), numbers);
	});
	t.notThrows(() => fc.assert(property));
});

test("numbers are rounded to the nearest bfloat16, ties to even", (t) => {
	const property = fc.property(finite, fc.nat(1), (value, shift) => {
		const [rounded = Number.NaN] = throughWire("bf16", Float32Array.of(value), shift);
		const [inner, outer] = neighbours(value);
		const [toInner, toOuter] = [Math.abs(value - inner), Math.abs(outer - value)];
		if (toInner !== toOuter) return Object.is(rounded, toInner < toOuter ? inner : outer);
		const pattern = new Uint32Array(Float32Array.of(rounded).buffer)[0] as number;
		return (rounded === inner || rounded === outer) && (pattern & 0x10000) === 0;
	});
	t.notThrows(() => fc.assert(property, { numRuns: 2000 }));
});

test("ties are rounded to even in both directions, and the sign of zero is kept", (t) => {
	const unit = 2 ** -7;
	const ties = Float32Array.of(1 + unit / 2, 1 + 1.5 * unit, -1 - unit / 2, -1 - 1.5 * unit, -0, 0);
	const expected = Float32Array.of(1, 1 + 2 * unit, -1, -1 - 2 * unit, -0, 0);
	t.true(sameBits(throughWire("bf16", ties), expected));
});

test("rounded numbers don't change when they are sent again", (t) => {
	const property = fc.property(fc.array(finite, { minLength: 1 }), (values) => {
		const once = throughWire("bf16", Float32Array.from(values));
		return sameBits(throughWire("bf16", once), once);
	});
	t.notThrows(() => fc.assert(property));
});

test("roundTo rounds like encode and decode, also in place, and an overflow is detected", (t) => {
	const property = fc.property(fc.constantFrom<WireFormat>("f32", "bf16"), fc.array(finite), (wire, values) => {
		const numbers = Float32Array.from(values);
		const rounded = new Float32Array(numbers.length);
		roundTo(wire, numbers, rounded);
		const expected = throughWire(wire, numbers);
		roundTo(wire, numbers, numbers);
		return sameBits(rounded, expected) && sameBits(numbers, expected);
	});
	t.notThrows(() => fc.assert(property));
	for (const value of [3.4028235e38, Number.NaN, Number.NEGATIVE_INFINITY]) {
		t.throws(() => roundTo("bf16", Float32Array.of(1, value), new Float32Array(2)), { code: "diverged" });
	}
});

test("NaN and infinities are detected at any position, and never rounded to other numbers", (t) => {
	const patterns = Uint32Array.of(0x7f800000, 0xff800000, 0x7fc00000, 0x7fffffff, 0xffffffff, 0x7f800001);
	for (const value of new Float32Array(patterns.buffer)) {
		for (const place of [0, 3, 6]) {
			const bits = new Uint32Array(7);
			bits[place] = new Uint32Array(Float32Array.of(value).buffer)[0] as number;
			const numbers = new Float32Array(bits.buffer);
			t.false(decode("f32", encode("f32", numbers, new Uint16Array(0)), new Float32Array(7)));
			t.throws(() => encode("bf16", numbers, new Uint16Array(7)), { code: "diverged" });
			const halves = Uint16Array.from(bits, (pattern) => pattern >>> 16);
			t.false(decode("bf16", new Uint8Array(halves.buffer), new Float32Array(7)) && place >= 0);
		}
	}
});

test("a tensor split into chunks and assembled again is the same, in both formats", (t) => {
	for (const wire of ["f32", "bf16"] as const) {
		for (const length of [1, 262_144, 262_145, 600_000]) {
			const tensor = Float32Array.from({ length }, (_, i) => i % 256);
			const target = new Float32Array(length).fill(9);
			const receiver = new TensorReceiver(target, wire);
			let bytes = 0;
			for (const chunk of tensorChunks(tensor, wire)) {
				receiver.add(chunk);
				bytes += chunk.data.length;
			}
			t.is(receiver.assertWhole(), bytes);
			t.true(sameBits(target, tensor));
			t.is(bytes, length * BYTES_OF[wire]);
		}
	}
});
