/**
 * Computes the mean cross-entropy of softmax(logits) per text, in nats, as torch's `F.cross_entropy`, in double
 * precision. The largest logit is subtracted before exp, so that finite logits never overflow; a logit that isn't
 * finite makes the loss NaN or infinite.
 * @param logits row-major [labels, classes]
 * @param labels each in [0, classes)
 * @returns NaN if there is no text
 */
export function crossEntropy(logits: ArrayLike<number>, labels: readonly number[], classes: number): number {
	let total = 0;
	for (const [row, label] of labels.entries()) {
		const from = row * classes;
		let largest = at(logits, from);
		for (let c = 1; c < classes; c++) if (at(logits, from + c) > largest) largest = at(logits, from + c);
		let sum = 0;
		for (let c = 0; c < classes; c++) sum += Math.exp(at(logits, from + c) - largest);
		total += Math.log(sum) + largest - at(logits, from + label);
	}
	return total / labels.length;
}

function at(values: ArrayLike<number>, index: number): number {
	return values[index] ?? Number.NaN;
}
