import { seededShuffle } from "../plan/seeded-shuffle.ts";
import { shares } from "./shares.ts";

/**
 * Assigns texts (or groups of equal ones) with several labels to sets, so that each label has about the same
 * share in all sets, beginning with the rarest label. Sechidis et al. (2011), "On the stratification of multi-label
 * data".
 * @param labelSets label indices of each text
 * @param fractions of the sets; their sum is 1
 * @returns the index of the set of each text
 */
export function stratify(
	labelSets: readonly (readonly number[])[],
	classes: number,
	fractions: readonly number[],
	seed: number,
): number[] {
	const wanted = shares(labelSets.length, fractions);
	const open = Array.from({ length: classes }, (): Set<number> => new Set());
	for (const text of seededShuffle(labelSets.keys(), seed, "split"))
		for (const label of labelSets[text] ?? []) open[label]?.add(text);
	const wantedOf = open.map(({ size }) => shares(size, fractions));
	const assigned = new Array<number>(labelSets.length).fill(-1);
	const assign = (text: number, quota: readonly number[]) => {
		const set = largestOf(quota, wanted);
		assigned[text] = set;
		wanted[set] = (wanted[set] ?? 0) - 1;
		for (const label of labelSets[text] ?? []) {
			open[label]?.delete(text);
			const own = wantedOf[label] as number[];
			own[set] = (own[set] ?? 0) - 1;
		}
	};
	for (;;) {
		const rarest = open.reduce(
			(best, { size }, label) => (size > 0 && (best < 0 || size < (open[best]?.size ?? 0)) ? label : best),
			-1,
		);
		if (rarest < 0) break;
		for (const text of [...(open[rarest] ?? [])]) assign(text, wantedOf[rarest] ?? []);
	}
	for (const [text, set] of assigned.entries()) if (set < 0) assign(text, wanted);
	return assigned;
}

/** Returns the index of the largest value. Between equal values, the larger one in `others` decides, then the order. */
function largestOf(values: readonly number[], others: readonly number[]): number {
	return values.reduce((best, value, i) => {
		const [most = 0, mostOthers = 0] = [values[best], others[best]];
		return value > most || (value === most && (others[i] ?? 0) > mostOthers) ? i : best;
	}, 0);
}
