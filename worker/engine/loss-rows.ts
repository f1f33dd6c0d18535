import type { TailSpec } from "../../shared/messages.ts";
import type { TailInput } from "./engine.ts";

/** The gradient of a batch's mean loss with respect to the logits is share * (activation - target), elementwise. */
export interface LossRows {
	/** [texts, classes] */
	readonly target: Float32Array;
	/** [texts, classes]; with one label per text, the same in a row. */
	readonly share: Float32Array;
}

/**
 * Returns the targets and shares of a batch. The gradient of -sum_c t_c log softmax_c is T (softmax - t / T), with T
 * the sum of t. That of torch's BCEWithLogitsLoss(pos_weight), a mean over texts and classes, is W (sigmoid - w t / W),
 * with w the weight of the class and W = w t + 1 - t.
 */
export function lossRows(inputs: readonly TailInput[], spec: TailSpec): LossRows {
	const texts = inputs.length;
	const rows = inputs.map(({ targets }) =>
		spec.loss?.multiLabel ? binaryRow(targets, spec.loss.classWeights) : softmaxRow(targets),
	);
	const scale = spec.loss?.multiLabel ? texts * spec.classes : texts;
	return {
		target: Float32Array.from(rows.flatMap(({ target }) => target)),
		share: Float32Array.from(rows.flatMap(({ weight }) => weight.map((own) => own / scale))),
	};
}

interface LossRow {
	/** [classes] */
	readonly target: number[];
	/** [classes] */
	readonly weight: number[];
}

function softmaxRow(targets: Float32Array): LossRow {
	const total = targets.reduce((sum, value) => sum + value, 0);
	return { target: Array.from(targets, (value) => value / total), weight: Array.from(targets, () => total) };
}

function binaryRow(targets: Float32Array, weights: readonly number[]): LossRow {
	const weight = Array.from(targets, (value, c) => value * (weights[c] ?? 1) + 1 - value);
	const target = Array.from(targets, (value, c) => (value * (weights[c] ?? 1)) / (weight[c] as number));
	return { target, weight };
}
