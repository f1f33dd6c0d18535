/** Fractions of the three sets; their sum is 1. */
export type Fractions = readonly [train: number, validation: number, test: number];

/**
 * Divides `count` in the proportions of the fractions, by the largest-remainder method: each exact share is rounded
 * down, and the rest goes to the largest remainders, the earlier one of equal ones first. A share of 0 takes 1 from the
 * largest.
 * @param count at least the number of fractions
 */
export function shares(count: number, fractions: readonly number[]): number[] {
	const exact = fractions.map((fraction) => count * fraction);
	const sizes = exact.map(Math.floor);
	const left = count - sizes.reduce((sum, size) => sum + size, 0);
	const remainder = (set: number) => (exact[set] ?? 0) - Math.floor(exact[set] ?? 0);
	const byRemainder = [...sizes.keys()].sort((a, b) => remainder(b) - remainder(a));
	for (const set of byRemainder.slice(0, left)) give(set, 1);
	for (const set of sizes.keys()) {
		if (sizes[set] !== 0) continue;
		give(sizes.indexOf(Math.max(...sizes)), -1);
		give(set, 1);
	}
	return sizes;

	function give(set: number, texts: number): void {
		sizes[set] = (sizes[set] ?? 0) + texts;
	}
}
