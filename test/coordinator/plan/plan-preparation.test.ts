import test from "ava";
import fc from "fast-check";
import { planPreparation } from "../../../coordinator/plan/plan-preparation.ts";
import type { PlannedText } from "../../../coordinator/plan/planned-part.ts";
import { effectiveSequence, type Padding } from "../../../shared/sequences/effective-sequence.ts";
import { areInTheirShards, idsOf, plannedTexts } from "./planned-texts.ts";

const paddings = fc.record({
	token: fc.constantFrom("last-real", "last", "first", "mean", "mean-real"),
	causal: fc.boolean(),
	padTo: fc.constantFrom(undefined, 9, 12),
}) satisfies fc.Arbitrary<Padding>;

test("each shard computes each of its distinct sequences once, unless the padding depends on the batch", (t) => {
	fc.assert(
		fc.property(plannedTexts(fc.integer({ min: 1, max: 4 })), paddings, (texts, padding) => {
			const parts = planPreparation(texts, padding);
			const keyOf = ({ shard, tokens }: PlannedText) =>
				`${shard}: ${effectiveSequence(tokens, padding, tokens.length).tokens}`;
			const isFixed = padding.padTo !== undefined || (padding.causal && !["last", "mean"].includes(padding.token));
			const expected = isFixed ? [...new Set(texts.map(keyOf))].sort() : [];
			const planned = idsOf(parts).map((id) => keyOf(texts[id] as PlannedText));
			return planned.sort().join("|") === expected.join("|") && areInTheirShards(parts, texts);
		}),
	);
	t.pass();
});

test("groups come longest first and have at most 1,024 rows of the trunk", (t) => {
	const lengths = [5, 1000, 30, 2000, 30, 500, 500, 7];
	const texts = lengths.map((length, id) => ({ id, tokens: new Uint32Array(length).fill(id), shard: 0 }));
	const parts = planPreparation(texts, { token: "last-real", causal: true, padTo: undefined });
	t.deepEqual(
		parts.map(({ examples }) => examples),
		[[3], [1], [5, 6], [2, 4, 7, 0]],
	);
	t.deepEqual(
		parts.map(({ part, paddedLength }) => [part, paddedLength]),
		[
			[0, 2000],
			[1, 1000],
			[2, 500],
			[3, 30],
		],
	);
});

test("if attention is causal, texts with a common prefix are put together, and the prefix counts once", (t) => {
	const beginning = [1, 2, 3, ...new Array<number>(597).fill(4)];
	const ending = (length: number, token: number) => new Array<number>(length).fill(token);
	const contents = [
		[...beginning, ...ending(100, 5)],
		ending(650, 6),
		[...beginning, ...ending(60, 7)],
		[...beginning, ...ending(30, 8)],
		ending(300, 9),
		[1, 2, 9],
	];
	const texts = contents.map((tokens, id) => ({ id, tokens: Uint32Array.from(tokens), shard: 0 }));
	const groups = (causal: boolean) =>
		planPreparation(texts, { token: "last-real", causal, padTo: causal ? undefined : 1 }).map(
			({ examples }) => examples,
		);
	// 700 + 60 rows; a third text padded to 700 tokens would exceed the limit of attention.
	t.deepEqual(groups(true), [[0, 2], [1, 4, 5], [3]]);
	t.deepEqual(groups(false), [[0], [2], [1], [3, 4, 5]]);
});
