import test from "ava";
import fc from "fast-check";
import { assignShards } from "../../../coordinator/plan/assign-shards.ts";
import { spread, tally } from "./planned-texts.ts";

const labels = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 200 });
const shards = fc.integer({ min: 1, max: 9 });

test("the sizes of shards differ by at most 1, and so do the numbers of each label's texts in them", (t) => {
	fc.assert(
		fc.property(labels, shards, fc.nat(), (of, count, seed) => {
			const assigned = assignShards(of, count, seed);
			const sizes = [tally(assigned, count)];
			for (const label of new Set(of)) {
				sizes.push(
					tally(
						assigned.filter((_, text) => of[text] === label),
						count,
					),
				);
			}
			return assigned.length === of.length && sizes.every((each) => each.length === count && spread(each) <= 1);
		}),
	);
	t.pass();
});

test("repeats of a text are in its shard if its label has a text for each shard; the sizes still differ by at most 1", (t) => {
	const counts = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 40 });
	fc.assert(
		fc.property(fc.array(counts, { minLength: 1, maxLength: 3 }), shards, fc.nat(), (ofLabels, count, seed) => {
			const texts = ofLabels.flatMap((times, label) => times.map((n) => ({ label, n })));
			// Within a label the numbers of repeats differ by at most 1, as after oversampling.
			const all = texts.flatMap(({ label, n }, original) =>
				Array.from({ length: 3 + (n % 2) }, () => ({ label, original })),
			);
			const originals = all.map(({ original }) => all.findIndex((of) => of.original === original));
			const assigned = assignShards(
				all.map(({ label }) => label),
				count,
				seed,
				originals,
			);
			t.true(spread(tally(assigned, count)) <= 1);
			for (const [label, { length }] of ofLabels.entries()) {
				t.true(
					spread(
						tally(
							assigned.filter((_, text) => all[text]?.label === label),
							count,
						),
					) <= 1,
				);
				if (length % count !== 0) continue;
				for (const [text, of] of all.entries())
					if (of.label === label) t.is(assigned[text], assigned[originals[text] as number]);
			}
		}),
	);
});

test("the same seed gives the same shards, another seed gives others", (t) => {
	const of = Array.from({ length: 100 }, (_, text) => text % 3);
	t.deepEqual(assignShards(of, 4, 7), assignShards(of, 4, 7));
	t.notDeepEqual(assignShards(of, 4, 7), assignShards(of, 4, 8));
});
