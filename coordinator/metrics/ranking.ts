/** How well the scores of a class rank its texts before the others. */
export interface RankingScores {
	/** Mean precision over the thresholds at which another text of the class is found; null if it has none. */
	readonly averagePrecision: number | null;
	/** Chance that a text of the class ranks before one of another class (ties: half); null if either is missing. */
	readonly rocAuc: number | null;
}

/**
 * Computes average precision and the area under the ROC curve, as scikit-learn's `average_precision_score` and
 * `roc_auc_score`.
 * @param scores one finite number per text; a larger one says that the text more likely belongs to the class
 * @param belongs whether each text belongs to the class
 */
export function rankingScores(scores: ArrayLike<number>, belongs: readonly boolean[]): RankingScores {
	const all = Float64Array.from(scores).sort();
	const own = Float64Array.from(belongs.flatMap((is, text) => (is ? [scores[text] ?? 0] : []))).sort();
	const others = all.length - own.length;
	let precisions = 0;
	let pairs = 0;
	let next = 0;
	let below = 0;
	while (next < own.length) {
		const score = own[next] ?? 0;
		const last = upperBound(own, next, score);
		while ((all[below] ?? score) < score) below++;
		const above = upperBound(all, below, score);
		const ties = last - next;
		const otherTies = above - below - ties;
		precisions += (ties * (own.length - next)) / (all.length - below);
		pairs += ties * (below - next + otherTies / 2);
		next = last;
		below = above;
	}
	return {
		averagePrecision: own.length > 0 ? precisions / own.length : null,
		rocAuc: own.length > 0 && others > 0 ? pairs / (own.length * others) : null,
	};
}

/** Returns the first index from `from` on whose value is greater. @param values ascending */
function upperBound(values: Float64Array, from: number, value: number): number {
	let index = from;
	while (index < values.length && (values[index] ?? 0) <= value) index++;
	return index;
}

/**
 * Returns for each text the log-odds of the probability of a class. They rank texts as the probability does, but don't
 * become equal if it rounds to 0 or 1.
 * @param logits row-major [texts, classes]
 */
export function classLogOdds(logits: ArrayLike<number>, label: number, classes: number): Float64Array {
	const odds = new Float64Array(logits.length / classes);
	for (let text = 0; text < odds.length; text++) {
		const from = text * classes;
		let largest = Number.NEGATIVE_INFINITY;
		for (let c = 0; c < classes; c++) if (c !== label) largest = Math.max(largest, logits[from + c] ?? 0);
		let sum = 0;
		for (let c = 0; c < classes; c++) if (c !== label) sum += Math.exp((logits[from + c] ?? 0) - largest);
		odds[text] = (logits[from + label] ?? 0) - largest - Math.log(sum);
	}
	return odds;
}
