import test from "ava";
import fc from "fast-check";
import { PrefixTree } from "../../../shared/data/prefix-tree.ts";

const sequences = fc.array(
	fc.array(fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constantFrom(50256, 2 ** 21 - 1)), { maxLength: 12 }),
	{ maxLength: 30 },
);

test("two tokens of sequences have the same number where all up to them are the same, and nowhere else", (t) => {
	fc.assert(
		fc.property(sequences, (all) => {
			const tree = new PrefixTree();
			const numbers = new Map<string, number>();
			for (const sequence of all) {
				const before = tree.size;
				const fresh = tree.countNew(Uint32Array.from(sequence));
				for (const [at, number] of tree.add(Uint32Array.from(sequence)).entries()) {
					const prefix = sequence.slice(0, at + 1).join();
					if (!numbers.has(prefix)) numbers.set(prefix, numbers.size);
					t.is(numbers.get(prefix), number);
				}
				t.is(tree.size, before + fresh);
			}
			t.is(tree.size, numbers.size);
		}),
	);
});
