import test from "ava";
import fc from "fast-check";
import { type EpochOptions, planEpoch } from "../../../coordinator/plan/plan-epoch.ts";
import type { PlannedText } from "../../../coordinator/plan/planned-part.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { areInTheirShards, idsOf, plannedTexts, spread, tally } from "./planned-texts.ts";

/** Valid options: shards <= batch <= texts. */
const options: fc.Arbitrary<EpochOptions> = fc
	.integer({ min: 1, max: 6 })
	.chain((shards) => plannedTexts(fc.constant(shards), 2 * shards).map((examples) => ({ examples, shards })))
	.chain(({ examples, shards }) =>
		fc.record({
			examples: fc.constant(examples),
			batch: fc.integer({ min: shards, max: Math.min(20, examples.length) }),
			accumulate: fc.integer({ min: 1, max: 4 }),
			seed: fc.nat(),
			epoch: fc.nat(20),
			grouping: fc.constantFrom("length", "none"),
		}),
	);

const shardsOf = (examples: readonly PlannedText[]) => new Set(examples.map(({ shard }) => shard)).size;
const partsOf = (of: EpochOptions) => planEpoch(of).flatMap(({ parts }) => parts);

test("an epoch contains every text once, except for a rest of less than a batch", (t) => {
	fc.assert(
		fc.property(options, (of) => {
			const counts = tally(idsOf(partsOf(of)), of.examples.length);
			const left = counts.filter((count) => count === 0).length;
			return counts.every((count) => count <= 1) && left === of.examples.length % of.batch;
		}),
	);
	t.pass();
});

test("a micro-batch has the requested number of texts, divided evenly among parts of every shard", (t) => {
	fc.assert(
		fc.property(options, (of) => {
			const shards = shardsOf(of.examples);
			return planEpoch(of).every(({ parts }) => {
				for (let first = 0; first < parts.length; first += shards) {
					const microBatch = parts.slice(first, first + shards);
					const sizes = microBatch.map(({ examples }) => examples.length);
					const longest = Math.max(...idsOf(microBatch).map((id) => of.examples[id]?.tokens.length ?? 0));
					const isRight =
						microBatch.every(({ shard, paddedLength }, index) => shard === index && paddedLength === longest) &&
						sizes.reduce((sum, size) => sum + size, 0) === of.batch &&
						spread(sizes) <= 1;
					if (!isRight) return false;
				}
				return parts.every(({ part }, index) => part === index) && areInTheirShards(parts, of.examples);
			});
		}),
	);
	t.pass();
});

test("weights are shares of a full step, so a short last step weighs less", (t) => {
	fc.assert(
		fc.property(options, (of) => {
			const steps = planEpoch(of);
			const microBatches = Math.floor(of.examples.length / of.batch);
			return (
				steps.length === Math.ceil(microBatches / of.accumulate) &&
				steps.every(({ parts }, step) => {
					const inStep = Math.min(of.accumulate, microBatches - step * of.accumulate);
					const sum = parts.reduce((total, { weight }) => total + weight, 0);
					const isByExamples = parts.every((part) => part.weight === part.examples.length / (of.batch * of.accumulate));
					return isByExamples && Math.abs(sum - inStep / of.accumulate) < 1e-12;
				})
			);
		}),
	);
	t.pass();
});

test("with weights of texts, a part's weight is its number of texts, divided by the sum of weights of a full step", (t) => {
	fc.assert(
		fc.property(options, fc.array(fc.double({ min: 0.1, max: 9, noNaN: true }), { minLength: 1 }), (of, given) => {
			const weightOf = (id: number) => given[id % given.length] as number;
			const plain = planEpoch(of);
			return planEpoch({ ...of, weightOf }).every(({ parts }, step) => {
				const inStep = parts.flatMap(({ examples }) => examples);
				const mean = inStep.reduce((sum, id) => sum + weightOf(id), 0) / inStep.length;
				return parts.every(({ weight, ...part }, i) => {
					const { weight: share = 0, ...same } = plain[step]?.parts[i] ?? {};
					t.deepEqual(part, same as typeof part);
					return Math.abs(weight * mean - share) < 1e-12;
				});
			});
		}),
	);
});

const manyTexts: PlannedText[] = Array.from({ length: 1045 }, (_, id) => ({
	id,
	tokens: new Uint32Array(3 + ((id * 7919) % 97)),
	shard: id % 3,
}));
const many: EpochOptions = { examples: manyTexts, batch: 8, accumulate: 1, seed: 123, epoch: 0, grouping: "length" };

test("a plan depends only on its options: another seed or epoch gives another order", (t) => {
	t.deepEqual(planEpoch(many), planEpoch(many));
	for (const grouping of ["length", "none"] as const) {
		const ids = idsOf(partsOf({ ...many, grouping }));
		t.notDeepEqual(idsOf(partsOf({ ...many, grouping, epoch: 1 })), ids);
		t.notDeepEqual(idsOf(partsOf({ ...many, grouping, seed: 124 })), ids);
	}
});

test("every text occurs within a few epochs: the texts left out change", (t) => {
	const seen = new Set(Array.from({ length: 4 }, (_, epoch) => idsOf(partsOf({ ...many, epoch }))).flat());
	t.is(seen.size, manyTexts.length);
});

test("grouping by length saves most of the padding, also with several shards", (t) => {
	const paddingOf = (of: EpochOptions) =>
		partsOf(of)
			.map(({ examples, paddedLength }) =>
				examples.reduce((sum, id) => sum + paddedLength - (manyTexts[id]?.tokens.length ?? 0), 0),
			)
			.reduce((sum, pads) => sum + pads, 0);
	const oneShard = manyTexts.map((text) => ({ ...text, shard: 0 }));
	t.true(paddingOf(many) < paddingOf({ ...many, grouping: "none" }) / 5);
	t.true(
		paddingOf({ ...many, examples: oneShard }) < paddingOf({ ...many, examples: oneShard, grouping: "none" }) / 10,
	);
});

test("batches by length are in random order, not sorted by length", (t) => {
	const lengths = partsOf({ ...many, batch: 30 }).map(({ paddedLength }) => paddedLength);
	t.notDeepEqual(
		lengths,
		lengths.toSorted((a, b) => a - b),
	);
	t.notDeepEqual(
		lengths,
		lengths.toSorted((a, b) => b - a),
	);
});

test("more shards than texts in a batch, and a batch larger than the training set, are refused with the flag's name", (t) => {
	const shards = t.throws(() => planEpoch({ ...many, batch: 2 }), { instanceOf: TailtuneError, code: "usage" });
	t.regex(shards?.message ?? "", /--shards: found 3, expected at most --batch \(2\)/);
	const batch = t.throws(() => planEpoch({ ...many, batch: 1046 }), { instanceOf: TailtuneError, code: "usage" });
	t.regex(batch?.message ?? "", /--batch: found 1046, expected at most the 1045 texts/);
});
