import { seededShuffle } from "./seeded-shuffle.ts";

/**
 * Assigns each text to a logical shard, fixed for a run. Each label's texts are assigned to the shards in turn, so that
 * the sizes of the shards differ by at most 1, and so do the numbers of each label's texts in them. The repeats of a
 * text are in the same shard, which computes its features once, unless a label has too few texts for all shards.
 * @param labels label index of each text
 * @param originals for each text the index of the text that it repeats, or its own index; default: no text is a repeat
 * @returns shard of each text, in the same order
 */
export function assignShards(
	labels: readonly number[],
	shards: number,
	seed: number,
	originals: readonly number[] = [...labels.keys()],
): number[] {
	const shuffled = seededShuffle(labels.keys(), seed, "shards");
	// A stable sort: within a label the texts stay shuffled.
	const byLabel = shuffled.sort((a, b) => (labels[a] as number) - (labels[b] as number));
	const groups = new Map<number, number[][]>();
	for (const equal of groupBy(byLabel, (text) => originals[text] as number).values()) {
		const label = labels[equal[0] as number] as number;
		const ofLabel = groups.get(label);
		if (ofLabel) ofLabel.push(equal);
		else groups.set(label, [equal]);
	}
	const assigned = new Array<number>(labels.length).fill(0);
	let position = 0;
	for (const ofLabel of groups.values())
		for (const text of inTurn(ofLabel, shards)) assigned[text] = position++ % shards;
	return assigned;
}

/**
 * Orders texts for the assignment in turn: as many different texts as there are shards, then the same ones again as
 * often as they are repeated, then the next ones.
 * @param groups each text with its repeats
 */
function* inTurn(groups: readonly number[][], shards: number): Generator<number> {
	// If texts that are repeated less often come last, no gap in a turn moves another text to the next shard.
	const sorted = [...groups].sort((a, b) => b.length - a.length);
	for (let first = 0; first < sorted.length; first += shards) {
		const block = sorted.slice(first, first + shards);
		for (let turn = 0; turn < (block[0]?.length ?? 0); turn++)
			for (const group of block) {
				const text = group[turn];
				if (text !== undefined) yield text;
			}
	}
}

function groupBy(texts: readonly number[], keyOf: (text: number) => number): Map<number, number[]> {
	const groups = new Map<number, number[]>();
	for (const text of texts) {
		const group = groups.get(keyOf(text));
		if (group) group.push(text);
		else groups.set(keyOf(text), [text]);
	}
	return groups;
}
