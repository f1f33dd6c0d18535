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

test("the same seed gives the same shards, another seed gives others", (t) => {
	const of = Array.from({ length: 100 }, (_, text) => text % 3);
	t.deepEqual(assignShards(of, 4, 7), assignShards(of, 4, 7));
	t.notDeepEqual(assignShards(of, 4, 7), assignShards(of, 4, 8));
});
