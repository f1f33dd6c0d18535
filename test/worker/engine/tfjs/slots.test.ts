import test from "ava";
import fc from "fast-check";
import { readSlot, slotsOf, writeSlot } from "../../../../worker/engine/tfjs/slots.ts";

test("c_attn is split into query, key and value, with names like those of their LoRA pairs", (t) => {
	const vector = Float32Array.from([99, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
	const slots = slotsOf({ name: "h.0.attn.c_attn.weight", shape: [2, 6], offset: 1 });
	t.deepEqual(
		slots.map((slot) => [slot.name, slot.shape, [...readSlot(slot, vector)]]),
		[
			["h.0.attn.c_attn.q.weight", [2, 2], [1, 2, 7, 8]],
			["h.0.attn.c_attn.k.weight", [2, 2], [3, 4, 9, 10]],
			["h.0.attn.c_attn.v.weight", [2, 2], [5, 6, 11, 12]],
		],
	);
});

test("other tensors stay whole", (t) => {
	for (const name of ["h.0.attn.c_proj.weight", "h.0.attn.c_attn.q.lora_A"]) {
		t.deepEqual(slotsOf({ name, shape: [2, 3], offset: 4 }), [
			{ name, shape: [2, 3], offset: 4, rows: 1, length: 6, stride: 6 },
		]);
	}
});

test("slots that are read and written back fill exactly their tensor", (t) => {
	const shapes = fc.tuple(fc.nat(4), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }));
	fc.assert(
		fc.property(shapes, ([offset, rows, part]) => {
			const shape = [rows, 3 * part];
			const size = rows * 3 * part;
			const vector = Float32Array.from({ length: offset + size + 2 }, (_, i) => i + 1);
			const copy = new Float32Array(vector.length);
			for (const slot of slotsOf({ name: "h.1.attn.c_attn.weight", shape, offset })) {
				writeSlot(slot, readSlot(slot, vector), copy);
			}
			const inside = (i: number) => i >= offset && i < offset + size;
			t.deepEqual(
				copy,
				vector.map((value, i) => (inside(i) ? value : 0)),
			);
		}),
	);
});
