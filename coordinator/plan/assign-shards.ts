import { seededShuffle } from "./seeded-shuffle.ts";

/**
 * Assigns each text to a logical shard, fixed for a run. Each label's texts are assigned to the shards in turn, so that
 * the sizes of the shards differ by at most 1, and so do the numbers of each label's texts in them.
 * @param labels label index of each text
 * @returns shard of each text, in the same order
 */
export function assignShards(labels: readonly number[], shards: number, seed: number): number[] {
	const shuffled = seededShuffle(labels.keys(), seed, "shards");
	// A stable sort: within a label the texts stay shuffled.
	const byLabel = shuffled.sort((a, b) => (labels[a] as number) - (labels[b] as number));
	const assigned = new Array<number>(labels.length).fill(0);
	for (const [position, text] of byLabel.entries()) assigned[text] = position % shards;
	return assigned;
}
