import test from "ava";
import fc from "fast-check";
import { groupByLength } from "../../../coordinator/plan/group-by-length.ts";
import { planEvaluation } from "../../../coordinator/plan/plan-evaluation.ts";
import type { PlannedText } from "../../../coordinator/plan/planned-part.ts";
import { areInTheirShards, idsOf, plannedTexts } from "./planned-texts.ts";

const padding = { token: "last-real", causal: true, padTo: undefined } as const;
const shards = fc.integer({ min: 1, max: 5 });

test("groups contain every text once, longest first; groups of several texts stay within the budget", (t) => {
	const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 100 });
	const budget = fc.record({ texts: fc.integer({ min: 1, max: 9 }), paddedTokens: fc.integer({ min: 1, max: 120 }) });
	fc.assert(
		fc.property(lengths, budget, (of, limit) => {
			const groups = groupByLength(of, limit);
			const order = groups.flat();
			const widths = groups.map((group) => Math.max(...group.map((text) => of[text] ?? 0)));
			return (
				order.length === of.length &&
				new Set(order).size === of.length &&
				order.every((text, at) => at === 0 || (of[text] ?? 0) <= (of[order[at - 1] ?? 0] ?? 0)) &&
				groups.every(
					(group, at) =>
						group.length === 1 ||
						(group.length <= limit.texts && group.length * (widths[at] ?? 0) <= limit.paddedTokens),
				)
			);
		}),
	);
	t.pass();
});

test("an evaluation covers exactly the requested texts, each in its own shard", (t) => {
	const chosen = plannedTexts(shards).chain((texts) =>
		fc.tuple(fc.constant(texts), fc.subarray(texts.map(({ id }) => id))),
	);
	fc.assert(
		fc.property(chosen, ([texts, ids]) => {
			const parts = planEvaluation(texts, ids, padding);
			return (
				idsOf(parts)
					.toSorted((a, b) => a - b)
					.join() === ids.join() &&
				parts.every(({ part, examples }, index) => part === index && examples.length > 0) &&
				areInTheirShards(parts, texts)
			);
		}),
	);
	t.pass();
});

test("texts are padded to the longest text of their group, all shards together", (t) => {
	const texts: PlannedText[] = [4, 9, 2].map((length, id) => ({ id, tokens: new Uint32Array(length), shard: id }));
	const parts = planEvaluation(texts, [0, 1, 2], { ...padding, token: "last" });
	t.deepEqual(
		parts.map(({ shard, paddedLength }) => [shard, paddedLength]),
		[
			[0, 9],
			[1, 9],
			[2, 9],
		],
	);
});
