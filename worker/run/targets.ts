import type { Loss } from "../../shared/messages.ts";

/**
 * Returns the targets of a text's loss, as torch's CrossEntropyLoss(weight, label_smoothing): a share of 1 - smoothing
 * is for the labels, the rest for all classes alike, each multiplied by the weight of its class. With several labels
 * per text, the rest is for yes and no alike, and weights aren't in the targets: see `lossRows`.
 * @param labels indices of the text's classes
 * @param loss null: no smoothing, no weights
 * @returns [classes]
 */
export function targetsOf(labels: readonly number[], classes: number, loss: Loss | null): Float32Array {
	const { multiLabel = false, labelSmoothing = 0, classWeights = [] } = loss ?? {};
	const targets = new Float32Array(classes).fill(labelSmoothing / (multiLabel ? 2 : classes));
	for (const label of labels) targets[label] = (targets[label] ?? 0) + 1 - labelSmoothing;
	return multiLabel ? targets : targets.map((target, c) => target * (classWeights[c] ?? 1));
}
