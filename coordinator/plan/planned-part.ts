/** A text as the plans need it. */
export interface PlannedText {
	/** Example id: index of the text in the run's data. */
	readonly id: number;
	/** Its tokens, cut but not padded. */
	readonly tokens: Uint32Array;
	readonly shard: number;
}

/** A part of a plan: the examples of one work item. */
export interface PlannedPart {
	/** Index in the plan or the step: results are summed in this order. */
	readonly part: number;
	readonly shard: number;
	/** Ids, at least one. */
	readonly examples: readonly number[];
	/**
	 * Tokens of the longest text of the group that this part belongs to, all shards together. The part's texts are padded
	 * to this length unless the run pads to a fixed length.
	 */
	readonly paddedLength: number;
}

/** Splits a group into one part per shard that has examples in it, in shard order. */
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

/** Returns the number of tokens of the longest text; 0 if there is no text. */
export function longestOf(texts: readonly PlannedText[]): number {
	return texts.reduce((longest, { tokens }) => Math.max(longest, tokens.length), 0);
}
