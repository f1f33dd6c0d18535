import test from "ava";
import fc from "fast-check";
import { MergeTable } from "../../../coordinator/tokenizer/merge-table.ts";

/** Merges one pair at a time, the one with the lowest rank, and the first one of several equal ones. */
function encodeSlowly(merges: readonly (readonly [number, number])[], tokens: readonly number[]): number[] {
	const rankAt = (all: readonly number[], at: number) =>
		merges.findLastIndex(([left, right]) => left === all[at] && right === all[at + 1]);
	const all = [...tokens];
	for (;;) {
		const ranks = all.map((_, at) => rankAt(all, at)).map((rank) => (rank < 0 ? merges.length : rank));
		const best = ranks.indexOf(Math.min(...ranks));
		if ((ranks[best] ?? merges.length) === merges.length) return all;
		all.splice(best, 2, LETTERS + (ranks[best] as number));
	}
}

const LETTERS = 4;

test("short and long sequences are merged pair by pair, by rank and position", (t) => {
	// Merge i makes token LETTERS + i of two tokens that exist before, as in a trained vocabulary.
	const pairs = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 30 });
	const words = fc.array(fc.nat(LETTERS - 1), { minLength: 1, maxLength: 150, size: "max" });
	fc.assert(
		fc.property(pairs, words, (drawn, word) => {
			const merges = drawn.map(([left, right], i) => [left % (LETTERS + i), right % (LETTERS + i)] as const);
			const table = new MergeTable(merges.length);
			for (const [i, [left, right]] of merges.entries()) table.add(left, right, LETTERS + i);
			t.deepEqual(table.encode(word), encodeSlowly(merges, word));
		}),
		{ numRuns: 300 },
	);
});
