import type { EpochPart, EpochStep } from "./plan-epoch.ts";

/** What one shard does in a round: its parts of the steps, in order. */
export interface RoundPart {
	/** Place in the round: changes are averaged in this order. */
	readonly part: number;
	readonly shard: number;
	readonly steps: readonly EpochStep[];
}

/**
 * Deals steps that are taken without a word between them to the shards. A part's weight is multiplied by the number of
 * shards: the mean of what the shards then follow is the gradient of the step.
 * @param steps successive ones of an epoch
 */
export function planRound(steps: readonly EpochStep[]): RoundPart[] {
	const shards = [...new Set(steps.flatMap(({ parts }) => parts.map(({ shard }) => shard)))].sort((a, b) => a - b);
	const own = (shard: number, parts: readonly EpochPart[]) =>
		parts.filter((part) => part.shard === shard).map((part) => ({ ...part, weight: part.weight * shards.length }));
	return shards.map((shard, part) => ({
		part,
		shard,
		steps: steps.map(({ parts }) => ({ parts: own(shard, parts) })),
	}));
}
