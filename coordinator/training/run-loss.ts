import type { Loss } from "../../shared/messages.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import type { RunTexts } from "./run-texts.ts";

/**
 * Returns the loss of a run; null: cross-entropy without smoothing and weights. With `--balance weights` the weight of
 * a class is texts / (classes * texts of the class) in the training set, as scikit-learn's "balanced"; with several
 * labels per text, it is texts without the label / texts with it, torch's `pos_weight`.
 */
export function runLoss(
	{ labelSmoothing, balance, multiLabel }: Pick<TrainConfig, "labelSmoothing" | "balance" | "multiLabel">,
	{ classTexts, train }: Pick<RunTexts, "classTexts" | "train">,
): Loss | null {
	const weightOf = (texts: number) => {
		if (!multiLabel) return train.length / (classTexts.length * texts);
		// If all texts have the label, it is learned without a weight.
		return texts === train.length ? 1 : (train.length - texts) / texts;
	};
	const weights = balance === "weights" ? classTexts.map((own) => weightOf(own.train)) : [];
	// Equal weights are the same as none.
	const classWeights = weights.every((weight) => weight === 1) ? [] : weights;
	if (!multiLabel && labelSmoothing === 0 && classWeights.length === 0) return null;
	return { multiLabel, labelSmoothing, classWeights };
}
