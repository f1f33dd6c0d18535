import { effectiveSequence, type Padding } from "../../shared/sequences/effective-sequence.ts";
import { EVALUATION_BUDGET, groupByLength } from "./group-by-length.ts";
import { type PlannedPart, type PlannedText, partsByShard } from "./planned-part.ts";

/**
 * Plans the evaluation of texts: each exactly once, in groups of similar length, longest first. Every part belongs to
 * the shard that stores the features of its texts.
 * @param texts all texts of the run, by id
 * @param ids ids of the texts to evaluate, each once
 */
export function planEvaluation(texts: readonly PlannedText[], ids: readonly number[], padding: Padding): PlannedPart[] {
	const chosen = ids.map((id) => texts[id] as PlannedText);
	// The lengths in a group are similar, so each text is taken at its length without padding.
	const lengths = chosen.map(({ tokens }) => effectiveSequence(tokens, padding, tokens.length).tokens.length);
	// The budget is for one part, and a group has one part per shard.
	const shards = new Set(chosen.map(({ shard }) => shard)).size;
	const budget = { texts: EVALUATION_BUDGET.texts * shards, paddedTokens: EVALUATION_BUDGET.paddedTokens * shards };
	const parts: PlannedPart[] = [];
	for (const group of groupByLength(lengths, budget)) {
		parts.push(
			...partsByShard(
				group.map((index) => chosen[index] as PlannedText),
				parts.length,
			),
		);
	}
	return parts;
}
