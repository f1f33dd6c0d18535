import { effectiveSequence, type Padding, paddingMatters } from "../../shared/data/effective-sequence.ts";
import { groupByLength } from "./group-by-length.ts";
import { type PlannedPart, type PlannedText, partsByShard } from "./planned-part.ts";

// Wide enough for full matrix products in the trunk, small enough for its activations to stay in the cache.
const PADDED_TOKENS = 1024;

/**
 * Parts that have each shard compute the features of each of its distinct token sequences once, in groups of similar
 * length, longest first. Empty where padding matters and depends on the batch: features then change with it.
 * @param texts all texts of the run
 */
export function planPreparation(texts: readonly PlannedText[], padding: Padding): PlannedPart[] {
	if (paddingMatters(padding) && padding.padTo === undefined) return [];
	const groups: Distinct[][] = [];
	for (const distinct of distinctByShard(texts, padding)) {
		const lengths = distinct.map(({ length }) => length);
		for (const group of groupByLength(lengths, { texts: PADDED_TOKENS, paddedTokens: PADDED_TOKENS })) {
			groups.push(group.map((index) => distinct[index] as Distinct));
		}
	}
	groups.sort(([a], [b]) => (b?.length ?? 0) - (a?.length ?? 0));
	return groups.flatMap((group, part) =>
		partsByShard(
			group.map(({ text }) => text),
			part,
		),
	);
}

interface Distinct {
	readonly text: PlannedText;
	/** Tokens of its effective sequence. */
	readonly length: number;
}

/** For each shard, the first text of every effective sequence. */
function distinctByShard(texts: readonly PlannedText[], padding: Padding): Distinct[][] {
	const shards = new Map<number, Map<string, Distinct>>();
	for (const text of texts) {
		const { tokens } = effectiveSequence(text.tokens, padding, text.tokens.length);
		const known = shards.get(text.shard) ?? new Map<string, Distinct>();
		shards.set(text.shard, known);
		const key = tokens.join();
		if (!known.has(key)) known.set(key, { text, length: tokens.length });
	}
	return [...shards.values()].map((distinct) => [...distinct.values()]);
}
