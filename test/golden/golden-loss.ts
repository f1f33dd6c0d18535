import { predictedLabels } from "../../coordinator/metrics/classification.ts";
import { crossEntropy } from "../../coordinator/metrics/cross-entropy.ts";
import type { TailSpec } from "../../shared/messages.ts";
import type { TailInput } from "../../worker/engine/engine.ts";

/** An input of a golden case. */
export interface GoldenInput extends TailInput {
	/** Indices of the text's labels. */
	readonly labels: readonly number[];
}

/** Returns the weight of a text in the mean loss: that of its label's class, or 1 if texts have several labels. */
export function weightOf({ labels: [label = -1] }: GoldenInput, { loss }: TailSpec): number {
	return loss?.multiLabel ? 1 : (loss?.classWeights[label] ?? 1);
}

/** Computes mean loss and accuracy as the golden set does, from the targets that the engine gets. */
export function scoreOf(logits: ArrayLike<number>, inputs: readonly GoldenInput[], spec: TailSpec) {
	const { classes, loss } = spec;
	const labels = inputs.map((input) => input.labels[0] ?? -1);
	if (!loss) {
		const predicted = predictedLabels(Array.from(logits), classes);
		const correct = labels.filter((label, text) => label === predicted[text]).length;
		return { loss: crossEntropy(logits, labels, classes), accuracy: correct / inputs.length };
	}
	let [total, right] = [0, 0];
	for (const [text, input] of inputs.entries()) {
		const row = Array.from({ length: classes }, (_, c) => logits[text * classes + c] ?? Number.NaN);
		total += loss.multiLabel ? binaryLoss(row, input.targets, loss.classWeights) : softmaxLoss(row, input.targets);
		const predicted = loss.multiLabel ? row.flatMap((logit, c) => (logit > 0 ? [c] : [])) : [largestOf(row)];
		if (predicted.join() === input.labels.join()) right++;
	}
	const weights = inputs.reduce((sum, input) => sum + weightOf(input, spec), 0);
	return { loss: total / weights, accuracy: right / inputs.length };
}

function softmaxLoss(row: readonly number[], targets: Float32Array): number {
	const all = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0));
	return row.reduce((sum, logit, c) => sum + (targets[c] ?? Number.NaN) * (all - logit), 0);
}

function binaryLoss(row: readonly number[], targets: Float32Array, weights: readonly number[]): number {
	const softplus = (x: number) => Math.log1p(Math.exp(x));
	const all = row.reduce((sum, logit, c) => {
		const target = targets[c] ?? Number.NaN;
		return sum + (weights[c] ?? 1) * target * softplus(-logit) + (1 - target) * softplus(logit);
	}, 0);
	return all / row.length;
}

function largestOf(row: readonly number[]): number {
	return row.indexOf(Math.max(...row));
}
