import test from "ava";
import fc from "fast-check";
import { TensorReceiver, tensorChunks } from "../../../shared/exchange/tensor-stream.ts";
import { sameBits } from "./conformance.ts";

test("numbers are received bit for bit, with any alignment of the bytes", (t) => {
	const finite = fc.float({ noDefaultInfinity: true, noNaN: true });
	const property = fc.property(fc.array(finite), fc.nat(3), (values, shift) => {
		const numbers = Float32Array.from(values);
		const target = new Float32Array(numbers.length).fill(7);
		const receiver = new TensorReceiver(target);
		for (const chunk of tensorChunks(numbers)) {
			const data = Buffer.from(new ArrayBuffer(chunk.data.length + shift), shift);
			data.set(chunk.data);
			receiver.add({ ...chunk, data });
		}
		return receiver.assertWhole() === numbers.byteLength && sameBits(target, numbers);
	});
	t.notThrows(() => fc.assert(property));
});

test("NaN and infinities are refused at any position", (t) => {
	const patterns = Uint32Array.of(0x7f800000, 0xff800000, 0x7fc00000, 0x7fffffff, 0xffffffff, 0x7f800001);
	for (const pattern of patterns) {
		for (const place of [0, 3, 6]) {
			const bits = new Uint32Array(7);
			bits[place] = pattern;
			const receiver = new TensorReceiver(new Float32Array(7));
			const [chunk] = tensorChunks(new Float32Array(bits.buffer));
			if (!chunk) throw new Error("expected a chunk");
			t.throws(() => receiver.add(chunk), { message: "numbers 0 to 7 hold NaN or infinity" });
		}
	}
});

test("a tensor split into chunks and assembled again is the same", (t) => {
	for (const length of [1, 262_144, 262_145, 600_000]) {
		const tensor = Float32Array.from({ length: length + 3 }, (_, i) => Math.sin(i)).subarray(3);
		const target = new Float32Array(length).fill(9);
		const receiver = new TensorReceiver(target);
		let bytes = 0;
		for (const chunk of tensorChunks(tensor)) {
			receiver.add(chunk);
			bytes += chunk.data.length;
		}
		t.is(receiver.assertWhole(), bytes);
		t.true(sameBits(target, tensor));
		t.is(bytes, 4 * length);
	}
});
