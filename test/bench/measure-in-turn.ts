/** One of several measurements that are compared. */
export interface Side<Result> {
	readonly name: string;
	readonly measure: () => Promise<Result>;
}

/**
 * Measures every side once per round, so that a temporary disturbance of the machine affects all sides.
 * @returns the results by the name of the side
 */
export async function measureInTurn<Result>(
	sides: readonly Side<Result>[],
	repeats: number,
	log: (line: string) => void,
): Promise<ReadonlyMap<string, readonly Result[]>> {
	const results = new Map<string, Result[]>(sides.map(({ name }) => [name, []]));
	for (let round = 1; round <= repeats; round++) {
		for (const { name, measure } of sides) {
			const start = performance.now();
			results.get(name)?.push(await measure());
			log(`${name} (${round} of ${repeats}): ${((performance.now() - start) / 1000).toFixed(1)} s`);
		}
	}
	return results;
}

/** Returns the middle value, or the mean of the two middle values. */
export function median(values: readonly number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
	if (low === undefined || high === undefined) throw new RangeError("median: found no values, expected at least one");
	return (low + high) / 2;
}

/** Formats the smallest and the largest value, for example "50.1-52.3". */
export function spread(values: readonly number[], digits = 1): string {
	return `${Math.min(...values).toFixed(digits)}-${Math.max(...values).toFixed(digits)}`;
}
