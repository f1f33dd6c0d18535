/** What the plans know of a text. */
export interface PlannedText {
	/** Example id: index of the text in the run's data. */
	readonly id: number;
	/** Its own tokens, cut but not padded. */
	readonly tokens: Uint32Array;
	readonly shard: number;
}

/** A part of a plan: the examples of one work item. */
export interface PlannedPart {
	/** Place in the plan or the step: results are reduced in this order. */
	readonly part: number;
	readonly shard: number;
	/** Ids, at least one. */
	readonly examples: readonly number[];
	/**
	 * Tokens of the longest text of the whole group that this part belongs to, over all shards: what its texts are
	 * padded to unless the run pads to a fixed length.
	 */
	readonly paddedLength: number;
}

/** Cuts a group into a part for each shard that has examples in it, in shard order. */
export function partsByShard(group: readonly PlannedText[], firstPart: number): PlannedPart[] {
	const idsByShard = new Map<number, number[]>();
	for (const { id, shard } of group) {
		const ids = idsByShard.get(shard);
		if (ids) ids.push(id);
		else idsByShard.set(shard, [id]);
	}
	const paddedLength = longestOf(group);
	return [...idsByShard]
		.sort(([a], [b]) => a - b)
		.map(([shard, examples], index) => ({ part: firstPart + index, shard, examples, paddedLength }));
}

/** Tokens of the longest text; 0 where there is none. */
export function longestOf(texts: readonly PlannedText[]): number {
	return texts.reduce((longest, { tokens }) => Math.max(longest, tokens.length), 0);
}
