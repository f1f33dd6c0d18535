import { chooseLabel, type Thresholds } from "./choose-label.ts";
import { predictedLabels } from "./classification.ts";
import { crossEntropy } from "./cross-entropy.ts";
import {
	binaryCrossEntropy,
	labelsAbove,
	scoreLabelSets,
	scoreLabelSetsInDetail,
	toLabelProbabilities,
} from "./label-sets.ts";
import { toProbabilities } from "./probabilities.ts";
import { type DetailedScores, type SetScores, scoreInDetail, scoreSet } from "./set-scores.ts";

/** Labels of texts: logits [texts, classes], and the label indices of each text. */
type Scored<Result> = (logits: readonly number[], truth: readonly (readonly number[])[], classes: number) => Result;

/** The labels that a model gives to a text. */
export interface LabelPrediction {
	/** Index of the predicted label; if none or several are predicted, of the most probable label. */
	readonly label: number;
	/** Indices of all predicted labels, ascending; none if no probability is large enough. */
	readonly labels: readonly number[];
	/** Probability of each label, in [0, 1]. */
	readonly probabilities: readonly number[];
}

/** How logits become labels, and how these are scored. */
export interface Scoring {
	readonly loss: Scored<number>;
	readonly score: Scored<SetScores>;
	readonly scoreInDetail: Scored<DetailedScores>;
	predict(logits: readonly number[]): LabelPrediction;
}

/** How logits become probabilities and labels. */
export interface LabelRule {
	/** Whether a text has any number of labels. */
	readonly multiLabel: boolean;
	/** Divides the logits before the softmax; 1: not calibrated. Not used with several labels. */
	readonly temperature: number;
	/** If several labels have none: 0.5. */
	readonly thresholds: Thresholds;
	/**
	 * Least probability of a label without a threshold. Undefined: each text gets a label, even if no threshold is
	 * reached. Not used with several labels.
	 */
	readonly abstain?: number | undefined;
}

/** Returns the rule before anything is fitted on the validation set. */
export function neutralRule(multiLabel: boolean): LabelRule {
	return { multiLabel, temperature: 1, thresholds: [] };
}

/** Returns how texts are predicted and scored. Scores count a text without a label as its most probable label. */
export function scoringOf(rule: LabelRule): Scoring {
	return rule.multiLabel ? severalLabels(rule) : oneLabel(rule);
}

function oneLabel({ temperature, thresholds, abstain }: LabelRule): Scoring {
	const firstOf = (truth: readonly (readonly number[])[]) => truth.map(([label = -1]) => label);
	const predict = (logits: readonly number[]): LabelPrediction => {
		const probabilities = toProbabilities(logits, temperature);
		const chosen = chooseLabel(logits, probabilities, thresholds, abstain ?? 0);
		const label = chosen ?? predictedLabels(logits, logits.length)[0] ?? 0;
		return { label, labels: chosen === undefined && abstain !== undefined ? [] : [label], probabilities };
	};
	const predictAll = (logits: readonly number[], texts: number, classes: number) =>
		Array.from({ length: texts }, (_, text) => predict(logits.slice(text * classes, (text + 1) * classes)).label);
	return {
		loss: (logits, truth, classes) => crossEntropy(logits, firstOf(truth), classes),
		score: (logits, truth, classes) =>
			scoreSet(logits, firstOf(truth), classes, predictAll(logits, truth.length, classes)),
		scoreInDetail: (logits, truth, classes) =>
			scoreInDetail(logits, firstOf(truth), classes, predictAll(logits, truth.length, classes)),
		predict,
	};
}

function severalLabels({ thresholds }: LabelRule): Scoring {
	return {
		loss: (logits, truth, classes) => binaryCrossEntropy({ logits, truth, classes }),
		score: (logits, truth, classes) => scoreLabelSets({ logits, truth, classes }, thresholds),
		scoreInDetail: (logits, truth, classes) => scoreLabelSetsInDetail({ logits, truth, classes }, thresholds),
		predict(logits) {
			const [label = 0] = predictedLabels(logits, logits.length);
			const probabilities = toLabelProbabilities(logits);
			return { label, labels: labelsAbove(probabilities, thresholds), probabilities };
		},
	};
}
