import fc from "fast-check";
import { assignShards } from "../../../coordinator/plan/assign-shards.ts";
import type { PlannedPart, PlannedText } from "../../../coordinator/plan/planned-part.ts";

/** Texts of a run by id: with few lengths and few contents, so that equal ones are common. */
export function plannedTexts(shards: fc.Arbitrary<number>, fewest = 1): fc.Arbitrary<PlannedText[]> {
	const tokens = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 9 });
	const texts = fc.array(fc.tuple(tokens, fc.integer({ min: 0, max: 2 })), { minLength: fewest, maxLength: 150 });
	return fc.tuple(texts, shards, fc.nat()).map(([all, count, seed]) => {
		const shardOf = assignShards(
			all.map(([, label]) => label),
			count,
			seed,
		);
		// The larger shards come first or last: plans must not depend on it.
		const toShard = (shard: number) => (seed % 2 === 0 ? shard : count - 1 - shard);
		return all.map(([own], id) => ({ id, tokens: Uint32Array.from(own), shard: toShard(shardOf[id] as number) }));
	});
}

/** Ids of the examples of parts, in their order. */
export function idsOf(parts: readonly PlannedPart[]): number[] {
	return parts.flatMap(({ examples }) => examples);
}

/** Counts how often each value from 0 to size - 1 occurs. */
export function tally(values: readonly number[], size: number): number[] {
	const counts = new Array<number>(size).fill(0);
	for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
	return counts;
}

/** Largest minus smallest. */
export function spread(values: readonly number[]): number {
	return Math.max(...values) - Math.min(...values);
}

/** Whether every example of a part belongs to the part's shard. */
export function areInTheirShards(parts: readonly PlannedPart[], texts: readonly PlannedText[]): boolean {
	return parts.every(({ shard, examples }) => examples.every((id) => texts[id]?.shard === shard));
}
