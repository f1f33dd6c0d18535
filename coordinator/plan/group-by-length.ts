/** Limits of a group. A single text may pass the second. */
export interface GroupBudget {
	readonly texts: number;
	/** Texts times tokens of the longest. */
	readonly paddedTokens: number;
}

/** Of what a tail evaluates together: enough for full matrix products, a few MB of activations. */
export const EVALUATION_BUDGET: GroupBudget = { texts: 128, paddedTokens: 4096 };

/**
 * Groups texts of similar length, longest first; texts of equal length stay in order.
 * @param lengths tokens of each text
 * @returns indices into `lengths`, each exactly once
 */
export function groupByLength(lengths: readonly number[], budget: GroupBudget = EVALUATION_BUDGET): number[][] {
	const lengthOf = (text: number) => lengths[text] as number;
	const groups: number[][] = [];
	let room = 0;
	for (const text of [...lengths.keys()].sort((a, b) => lengthOf(b) - lengthOf(a))) {
		const group = groups.at(-1);
		if (group && group.length < room) {
			group.push(text);
		} else {
			groups.push([text]);
			room = Math.min(budget.texts, Math.floor(budget.paddedTokens / lengthOf(text)));
		}
	}
	return groups;
}
