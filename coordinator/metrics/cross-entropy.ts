/** Loss and correct predictions of a set of texts. */
export interface CrossEntropy {
	/** Mean negative log-likelihood in nats per text; NaN if there is no text. */
	readonly loss: number;
	/** Number of texts whose largest logit (the first one of equal ones) is that of the label. */
	readonly correct: number;
}

/**
 * Computes the mean cross-entropy of softmax(logits), as torch's `F.cross_entropy`, in double precision. The largest
 * logit is subtracted before exp, so that finite logits never overflow; a logit that isn't finite makes the loss NaN or
 * infinite.
 * @param logits row-major [labels, classes]
 * @param labels each in [0, classes)
 */
export function crossEntropy(logits: ArrayLike<number>, labels: readonly number[], classes: number): CrossEntropy {
	let total = 0;
	let correct = 0;
	for (const [row, label] of labels.entries()) {
		const from = row * classes;
		let best = 0;
		for (let c = 1; c < classes; c++) if (at(logits, from + c) > at(logits, from + best)) best = c;
		const largest = at(logits, from + best);
		let sum = 0;
		for (let c = 0; c < classes; c++) sum += Math.exp(at(logits, from + c) - largest);
		total += Math.log(sum) + largest - at(logits, from + label);
		if (best === label) correct++;
	}
	return { loss: total / labels.length, correct };
}

function at(values: ArrayLike<number>, index: number): number {
	return values[index] ?? Number.NaN;
}
