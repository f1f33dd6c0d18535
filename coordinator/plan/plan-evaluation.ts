import { effectiveSequence, type Padding } from "../../shared/sequences/effective-sequence.ts";
import { EVALUATION_BUDGET, groupByLength } from "./group-by-length.ts";
import { type PlannedPart, type PlannedText, partsByShard } from "./planned-part.ts";

/**
 * Parts that cover texts exactly once, in groups of similar length, longest first; every part lies in the shard that
 * keeps the features of its texts.
 * @param texts all texts of the run, by id
 * @param ids those to evaluate, each once
 */
export function planEvaluation(texts: readonly PlannedText[], ids: readonly number[], padding: Padding): PlannedPart[] {
	const chosen = ids.map((id) => texts[id] as PlannedText);
	// Groups are made of near-equals, so a text costs about what it would alone.
	const lengths = chosen.map(({ tokens }) => effectiveSequence(tokens, padding, tokens.length).tokens.length);
	// The budget is that of a part: a group is cut into one for each shard.
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
