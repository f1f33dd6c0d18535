import test from "ava";
import fc from "fast-check";
import { planEpoch } from "../../../coordinator/plan/plan-epoch.ts";
import { planRound } from "../../../coordinator/plan/plan-round.ts";
import { idsOf, plannedTexts } from "./planned-texts.ts";

const epochs = fc
	.integer({ min: 1, max: 5 })
	.chain((shards) => fc.tuple(plannedTexts(fc.constant(shards), 20), fc.integer({ min: 1, max: 3 }), fc.nat()))
	.map(([examples, accumulate, seed]) =>
		planEpoch({ examples, batch: 7, accumulate, seed, epoch: 0, grouping: "length" }),
	);

test("a round contains every text of its steps once, in its shard, in the order of the steps", (t) => {
	const property = fc.property(epochs, (steps) => {
		const round = planRound(steps);
		for (const { shard, steps: own } of round) {
			const expected = steps.map(({ parts }) => idsOf(parts.filter((part) => part.shard === shard)));
			t.deepEqual(
				own.map(({ parts }) => idsOf(parts)),
				expected,
			);
			t.true(own.every(({ parts }) => parts.length > 0));
		}
		t.deepEqual(
			round.map(({ part }) => part),
			[...round.keys()],
		);
		t.is(new Set(round.map(({ shard }) => shard)).size, round.length);
		const all = round.flatMap(({ steps: own }) => own.flatMap(({ parts }) => idsOf(parts)));
		t.deepEqual(all.sort(), steps.flatMap(({ parts }) => idsOf(parts)).sort());
	});
	fc.assert(property, { numRuns: 50 });
});

test("the mean of the shards' gradients is the gradient of the step", (t) => {
	const property = fc.property(epochs, (steps) => {
		const round = planRound(steps);
		for (const [index, step] of steps.entries()) {
			const own = round.flatMap((part) => part.steps[index]?.parts ?? []);
			for (const { shard, examples, weight } of step.parts) {
				const same = own.find((part) => part.shard === shard && part.examples === examples);
				t.true(Math.abs((same?.weight ?? 0) / round.length - weight) < 1e-12);
			}
		}
	});
	fc.assert(property, { numRuns: 50 });
});

test("with one shard a round is its steps", (t) => {
	const one = plannedTexts(fc.constant(1), 20).map((examples) =>
		planEpoch({ examples, batch: 7, accumulate: 2, seed: 1, epoch: 0, grouping: "none" }),
	);
	const property = fc.property(one, (steps) => t.deepEqual(planRound(steps)[0]?.steps, steps));
	fc.assert(property, { numRuns: 20 });
});
