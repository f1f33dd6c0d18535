import type { EpochPart, EpochStep } from "./plan-epoch.ts";

/** The work of one shard in a round: its parts of the steps, in order. */
export interface RoundPart {
	/** Index in the round: changes are averaged in this order. */
	readonly part: number;
	readonly shard: number;
	readonly steps: readonly EpochStep[];
}

/**
 * Splits steps by shard; the shards take them without communicating (local SGD). A part's weight is multiplied by the
 * number of shards, so that the mean of the shards' gradients is the gradient of the step.
 * @param steps successive steps of an epoch
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
