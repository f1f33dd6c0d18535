import { effectiveSequence, type Padding, paddingMatters } from "../../shared/sequences/effective-sequence.ts";
import { groupForTrunk } from "./group-for-trunk.ts";
import { longestOf, type PlannedPart, type PlannedText, partsByShard } from "./planned-part.ts";

/**
 * Plans the computation of features: each shard computes each of its distinct token sequences once, in groups that suit
 * the trunk, longest first. Empty if features depend on the padding and the padding depends on the batch.
 * @param texts all texts of the run
 */
export function planPreparation(texts: readonly PlannedText[], padding: Padding): PlannedPart[] {
	if (paddingMatters(padding) && padding.padTo === undefined) return [];
	const groups = distinctByShard(texts, padding).flatMap((distinct) => {
		const all = [...distinct.values()];
		const sequences = all.map(({ tokens }) => tokens);
		return groupForTrunk(sequences, padding.causal).map((group) => group.map((index) => (all[index] as Distinct).text));
	});
	groups.sort((a, b) => longestOf(b) - longestOf(a));
	return groups.flatMap((group, part) => partsByShard(group, part));
}

interface Distinct {
	/** The first text of this effective sequence. */
	readonly text: PlannedText;
	readonly tokens: Uint32Array;
}

/** Returns the distinct effective sequences of each shard; the keys are their tokens. */
function distinctByShard(texts: readonly PlannedText[], padding: Padding): Map<string, Distinct>[] {
	const shards = new Map<number, Map<string, Distinct>>();
	for (const text of texts) {
		const { tokens } = effectiveSequence(text.tokens, padding, text.tokens.length);
		const known = shards.get(text.shard) ?? new Map<string, Distinct>();
		shards.set(text.shard, known);
		const key = tokens.join();
		if (!known.has(key)) known.set(key, { text, tokens });
	}
	return [...shards.values()];
}
