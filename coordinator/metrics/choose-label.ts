import { predictedLabels } from "./classification.ts";

/** Probability from which on each label is predicted, in the order of the labels; null or missing: no threshold. */
export type Thresholds = readonly (number | null)[];

/**
 * Chooses the label of a text that has exactly one. A label with a threshold is chosen if, and only if, its probability
 * reaches it; of several such labels the most probable. Otherwise the most probable label without a threshold is
 * chosen. With two labels and one threshold this is scikit-learn's `FixedThresholdClassifier`.
 * @param logits of the text; they rank the labels, because different logits may have equal probabilities
 * @param least probability that a label without a threshold needs
 * @returns undefined if no label is probable enough
 */
export function chooseLabel(
	logits: readonly number[],
	probabilities: readonly number[],
	thresholds: Thresholds,
	least: number,
): number | undefined {
	const thresholdOf = (label: number) => thresholds[label] ?? null;
	const reached = mostProbable(logits, (label) => (probabilities[label] ?? 0) >= (thresholdOf(label) ?? 2));
	if (reached !== undefined) return reached;
	const other = mostProbable(logits, (label) => thresholdOf(label) === null);
	return other !== undefined && (probabilities[other] ?? 0) >= least ? other : undefined;
}

/** Returns the label with the largest logit among some labels, or the first of equal ones. */
function mostProbable(logits: readonly number[], isCandidate: (label: number) => boolean): number | undefined {
	const candidates = [...logits.keys()].filter(isCandidate);
	const [best = -1] = predictedLabels(
		candidates.map((label) => logits[label] ?? 0),
		candidates.length,
	);
	return candidates[best];
}
