import test from "ava";
import fc from "fast-check";
import { TextQueue } from "../../../coordinator/serve/text-queue.ts";

const entryOf = (length: number) => ({ tokens: new Uint32Array(length) });

test("a group is the text that waited longest and the texts closest to it in length", (t) => {
	const queue = new TextQueue<{ tokens: Uint32Array }>();
	for (const length of [10, 100, 11, 90, 9]) queue.add(entryOf(length));
	const group = queue.takeGroup({ texts: 3, paddedTokens: 1000 });
	t.deepEqual(
		group.map(({ tokens }) => tokens.length),
		[10, 11, 9],
	);
	t.is(queue.length, 2);
	t.is(queue.tokens, 190);
});

test("every text is taken once, each group has the oldest text, and no group of several exceeds its limits", (t) => {
	const lengths = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 60 });
	const budget = fc.record({ texts: fc.integer({ min: 1, max: 16 }), paddedTokens: fc.integer({ min: 1, max: 1000 }) });
	fc.assert(
		fc.property(lengths, budget, (all, limits) => {
			const queue = new TextQueue<{ tokens: Uint32Array }>();
			const entries = all.map(entryOf);
			for (const entry of entries) queue.add(entry);
			const taken = new Set<object>();
			while (queue.length > 0) {
				const { oldest } = queue;
				const group = queue.takeGroup(limits);
				const longest = Math.max(...group.map(({ tokens }) => tokens.length));
				if (group[0] !== oldest || group.length > limits.texts) return false;
				if (group.length > 1 && longest * group.length > limits.paddedTokens) return false;
				for (const entry of group) taken.add(entry);
			}
			return taken.size === entries.length && queue.tokens === 0;
		}),
	);
	t.pass();
});

test("a text that was removed is not taken", (t) => {
	const queue = new TextQueue<{ tokens: Uint32Array }>();
	const [gone, stays] = [entryOf(3), entryOf(4)];
	queue.add(gone);
	queue.add(stays);
	queue.remove(gone);
	queue.remove(gone);
	t.is(queue.tokens, 4);
	t.deepEqual(queue.takeGroup({ texts: 8, paddedTokens: 100 }), [stays]);
	t.is(queue.oldest, undefined);
});
