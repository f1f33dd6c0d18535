/** Limits of a group. A group of one text may exceed the second one. */
export interface GroupBudget {
	readonly texts: number;
	/** Number of texts times the tokens of the longest one. */
	readonly paddedTokens: number;
}

/** Limits of an evaluation batch: large enough for efficient matrix products, with a few MB of activations. */
export const EVALUATION_BUDGET: GroupBudget = { texts: 128, paddedTokens: 4096 };

/**
 * Groups texts of similar length, longest first; texts of equal length stay in order.
 * @param lengths tokens of each text
 * @returns indices into `lengths`, each exactly once
 */
export function groupByLength(lengths: readonly number[], budget: GroupBudget = EVALUATION_BUDGET): number[][] {
	const lengthOf = (text: number) => lengths[text] as number;
	const groups: number[][] = [];
	let capacity = 0;
	for (const text of [...lengths.keys()].sort((a, b) => lengthOf(b) - lengthOf(a))) {
		const group = groups.at(-1);
		if (group && group.length < capacity) {
			group.push(text);
		} else {
			groups.push([text]);
			capacity = Math.min(budget.texts, Math.floor(budget.paddedTokens / lengthOf(text)));
		}
	}
	return groups;
}
