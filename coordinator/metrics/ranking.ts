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
 * Returns for each class the log-odds of its probability in each text. They rank texts as the probability does, but
 * don't become equal if it rounds to 0 or 1. The other logits of a text are added in ascending order, so that texts
 * with the same ones in another order stay equal.
 * @param logits row-major [texts, classes]
 * @returns [classes, texts]
 */
export function classLogOdds(logits: readonly number[], classes: number): Float64Array[] {
	const odds = Array.from({ length: classes }, () => new Float64Array(logits.length / classes));
	for (let from = 0; from < logits.length; from += classes) {
		const row = Float64Array.from(logits.slice(from, from + classes));
		const ascending = row.toSorted();
		for (const [label, own] of row.entries()) (odds[label] as Float64Array)[from / classes] = logOdds(own, ascending);
	}
	return odds;
}

/** @param ascending all logits of the text, at least two */
function logOdds(own: number, ascending: Float64Array): number {
	const place = ascending.indexOf(own);
	const largest = ascending.at(place === ascending.length - 1 ? -2 : -1) as number;
	let sum = 0;
	for (const [i, logit] of ascending.entries()) if (i !== place) sum += Math.exp(logit - largest);
	return own - largest - Math.log(sum);
}
