import { seededShuffle } from "./seeded-shuffle.ts";

/**
 * The logical shard of each text, fixed for a run: each label's texts are dealt to the shards in turn, so that the
 * sizes of the shards differ by at most 1, and so do each label's numbers in them.
 * @param labels label index of each text
 * @returns shard of each text, in the same order
 */
export function assignShards(labels: readonly number[], shards: number, seed: number): number[] {
	const shuffled = seededShuffle(labels.keys(), seed, "shards");
	// A stable sort: within a label the texts stay shuffled.
	const byLabel = shuffled.sort((a, b) => (labels[a] as number) - (labels[b] as number));
	const assigned = new Array<number>(labels.length).fill(0);
	for (const [turn, text] of byLabel.entries()) assigned[text] = turn % shards;
	return assigned;
}
