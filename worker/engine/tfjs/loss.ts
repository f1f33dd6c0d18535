import * as tf from "@tensorflow/tfjs";
import type { TailSpec } from "../../../shared/messages.ts";
import type { LossRows } from "../loss-rows.ts";

/**
 * Computes the mean loss of a batch from its logits [texts, classes]: cross-entropy of the softmax, or binary
 * cross-entropy of the sigmoid if texts have several labels.
 */
export function meanLoss(logits: tf.Tensor2D, { target, share }: LossRows, { loss }: TailSpec): tf.Scalar {
	const targets = tf.tensor2d(target, logits.shape);
	const shares = tf.tensor2d(share, logits.shape);
	if (loss?.multiLabel) return binaryCrossEntropy(logits, targets).mul(shares).sum();
	const ofTexts = shares.slice([0, 0], [-1, 1]).squeeze<tf.Tensor1D>([1]);
	return tf.losses.softmaxCrossEntropy(targets, logits, ofTexts, 0, tf.Reduction.SUM);
}

/** With a gradient of our own, because that of TensorFlow.js is wrong for a logit of 0. */
function binaryCrossEntropy(logits: tf.Tensor2D, targets: tf.Tensor2D): tf.Tensor {
	const losses = tf.customGrad((...given) => {
		const [x, save] = given as unknown as [tf.Tensor, tf.GradSaveFunc];
		save([x, targets]);
		return {
			value: tf
				.relu(x)
				.sub(x.mul(targets))
				.add(tf.softplus(tf.neg(tf.abs(x)))),
			gradFunc: (dy, saved) => {
				const [logit, target] = saved as [tf.Tensor, tf.Tensor];
				return dy.mul(tf.sigmoid(logit).sub(target));
			},
		};
	});
	return losses(logits);
}
