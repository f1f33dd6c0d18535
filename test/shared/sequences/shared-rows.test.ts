import test from "ava";
import fc from "fast-check";
import { commonPrefixLength, sharedRows } from "../../../shared/sequences/shared-rows.ts";

const sequences = fc.array(
	fc
		.array(fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constantFrom(50256, 2 ** 32 - 1)), { maxLength: 12 })
		.map((tokens) => Uint32Array.from(tokens)),
	{ maxLength: 30 },
);

test("two tokens have the same row exactly if all tokens up to them are equal", (t) => {
	fc.assert(
		fc.property(sequences, (all) => {
			const { rows, rowsOf } = sharedRows(all);
			const beginnings = new Map<number, string>();
			for (const [index, own] of rowsOf.entries()) {
				t.is(all[index]?.length, own.length);
				for (const [at, row] of own.entries()) {
					const beginning = String(all[index]?.subarray(0, at + 1));
					t.is(beginnings.get(row) ?? beginning, beginning);
					beginnings.set(row, beginning);
				}
			}
			t.is(new Set(beginnings.values()).size, rows);
			t.true([...beginnings.keys()].every((row) => row < rows));
			t.is(beginnings.size, rows);
		}),
	);
});

test("a common prefix ends at the first different token, or with the shorter sequence", (t) => {
	const common = (a: number[], b: number[]) => commonPrefixLength(Uint32Array.from(a), Uint32Array.from(b));
	t.deepEqual(
		[common([1, 2, 3], [1, 2, 4]), common([1, 2], [1, 2, 4]), common([1], [2]), common([], [2])],
		[2, 2, 0, 0],
	);
});
