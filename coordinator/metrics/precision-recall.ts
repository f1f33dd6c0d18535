/** The result if each text is predicted as a class that has at least a probability of it, the threshold. */
export interface OperatingPoint {
	readonly threshold: number;
	/** Number of texts with at least this probability. */
	readonly flagged: number;
	/** Number of these that belong to the class. */
	readonly right: number;
}

/**
 * Lists the points of a class's precision-recall curve, from the highest threshold to the lowest one: those at which
 * more of its texts are found, and the one at which all texts are flagged.
 * @param probabilities probability of the class for each text
 * @param belongs whether each text belongs to the class
 * @param most number of points to keep, at least 2; others are left out evenly
 */
export function listOperatingPoints(
	probabilities: ArrayLike<number>,
	belongs: readonly boolean[],
	most: number,
): OperatingPoint[] {
	const order = belongs.map((_, text) => text).sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0));
	const points: OperatingPoint[] = [];
	let right = 0;
	let found = 0;
	for (const [place, text] of order.entries()) {
		if (belongs[text]) right++;
		const threshold = probabilities[text] ?? 0;
		const next = order[place + 1];
		if (next !== undefined && probabilities[next] === threshold) continue;
		if (right > found || next === undefined) points.push({ threshold, flagged: place + 1, right });
		found = right;
	}
	if (points.length <= most) return points;
	const kept = Array.from({ length: most }, (_, i) => Math.round((i * (points.length - 1)) / (most - 1)));
	return kept.map((index) => points[index] as OperatingPoint);
}
