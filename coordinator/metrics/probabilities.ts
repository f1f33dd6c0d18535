/**
 * Returns the softmax of a text's logits: a probability in [0, 1] per label; they sum to 1.
 * @param temperature divides the logits: see `fitTemperature`
 */
export function toProbabilities(logits: readonly number[], temperature: number): number[] {
	const largest = Math.max(...logits);
	const weights = logits.map((logit) => Math.exp((logit - largest) / temperature));
	const total = weights.reduce((sum, weight) => sum + weight, 0);
	return weights.map((weight) => weight / total);
}

/** Returns the probabilities by the names of the labels, as they are written to files. */
export function nameProbabilities(
	labels: readonly string[],
	probabilities: readonly number[],
): { [label: string]: number } {
	return Object.fromEntries(labels.map((label, index) => [label, probabilities[index] ?? 0]));
}

/** Returns the names of labels, with | between, as they are written to files. */
export function nameLabels(labels: readonly string[], indices: readonly number[]): string {
	return indices.map((index) => labels[index] ?? "").join("|");
}
