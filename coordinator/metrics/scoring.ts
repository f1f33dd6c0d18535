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
	/** Index of the label with the largest logit, the first one of equal ones. */
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
	/** Divides the logits before the softmax; 1: not calibrated. Not used with thresholds. */
	readonly temperature: number;
	/** Least probability of the predicted label; default 0. Scores ignore it. Not used with thresholds. */
	readonly abstain?: number;
	/** Probability from which on each label is predicted; undefined if each text has one label. */
	readonly thresholds?: readonly number[] | undefined;
}

/** Returns the rule before anything is fitted on the validation set. */
export function neutralRule(multiLabel: boolean, classes: number): LabelRule {
	return { temperature: 1, ...(multiLabel && { thresholds: new Array<number>(classes).fill(0.5) }) };
}

/** Returns how texts are predicted and scored: the largest logit, or each label whose threshold is reached. */
export function scoringOf({ temperature, abstain = 0, thresholds }: LabelRule): Scoring {
	return thresholds ? severalLabels(thresholds) : oneLabel(temperature, abstain);
}

function oneLabel(temperature: number, abstain: number): Scoring {
	const firstOf = (truth: readonly (readonly number[])[]) => truth.map(([label = -1]) => label);
	return {
		loss: (logits, truth, classes) => crossEntropy(logits, firstOf(truth), classes).loss,
		score: (logits, truth, classes) => scoreSet(logits, firstOf(truth), classes),
		scoreInDetail: (logits, truth, classes) => scoreInDetail(logits, firstOf(truth), classes),
		predict(logits) {
			const [label = 0] = predictedLabels(logits, logits.length);
			const probabilities = toProbabilities(logits, temperature);
			return { label, labels: (probabilities[label] ?? 0) >= abstain ? [label] : [], probabilities };
		},
	};
}

function severalLabels(thresholds: readonly number[]): Scoring {
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
