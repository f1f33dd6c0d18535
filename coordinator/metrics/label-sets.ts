import type { Thresholds } from "./choose-label.ts";
import { type ClassCounts, classScores } from "./classification.ts";
import { bootstrapIntervals, countCells, wilsonInterval } from "./intervals.ts";
import { overallScores } from "./overall-scores.ts";
import { rankingScores } from "./ranking.ts";
import { classDetails, type DetailedScores, type SetScores } from "./set-scores.ts";
import { sum } from "./sum.ts";

/** Predictions for texts with any number of labels, and the truth. */
export interface LabelSets {
	/** Row-major [texts, classes]. */
	readonly logits: readonly number[];
	/** Label indices of each text, at least one text. */
	readonly truth: readonly (readonly number[])[];
	readonly classes: number;
}

/** Returns the sigmoid of each logit: the probability of each label. */
export function toLabelProbabilities(logits: readonly number[]): number[] {
	return logits.map((logit) => 1 / (1 + Math.exp(-logit)));
}

/** Returns the labels with at least the probability of their threshold; 0.5 if there is none. */
export function labelsAbove(probabilities: readonly number[], thresholds: Thresholds): number[] {
	return probabilities.flatMap((probability, label) => (probability >= (thresholds[label] ?? 0.5) ? [label] : []));
}

/**
 * Computes the mean over texts and classes of the binary cross-entropy, in nats, as torch's BCEWithLogitsLoss. A logit
 * that isn't finite makes it NaN or infinite.
 */
export function binaryCrossEntropy({ logits, truth, classes }: LabelSets): number {
	let total = 0;
	for (const logit of logits) total += Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit)));
	for (const [text, labels] of truth.entries())
		for (const label of labels) total -= logits[text * classes + label] ?? Number.NaN;
	return total / (truth.length * classes);
}

/**
 * Scores predicted label sets: accuracy is the share of texts with exactly their labels, the other scores are means
 * over the labels. Without any label, true or predicted, an F1 is 0, as in scikit-learn.
 * @param thresholds probability from which on each label is predicted
 */
export function scoreLabelSets(sets: LabelSets, thresholds: Thresholds): SetScores {
	return scoreCounts(sets, countLabels(sets, thresholds));
}

function scoreCounts(sets: LabelSets, { counts, exact }: ReturnType<typeof countLabels>): SetScores {
	return { loss: binaryCrossEntropy(sets), accuracy: exact / sets.truth.length, ...meanScores(counts), mcc: null };
}

function meanScores(counts: ClassCounts) {
	const { balancedAccuracy, macroF1 } = overallScores(counts);
	const [hits, pairs] = [sum(counts.hits), sum(counts.predicted) + sum(counts.support)];
	const microF1 = pairs === 0 ? 0 : (2 * hits) / pairs;
	return { balancedAccuracy: balancedAccuracy || 0, macroF1: macroF1 || 0, microF1 };
}

/** Computes all scores with their intervals; there is no confusion matrix. */
export function scoreLabelSetsInDetail(sets: LabelSets, thresholds: Thresholds): DetailedScores {
	const found = countLabels(sets, thresholds);
	const scores = scoreCounts(sets, found);
	const accuracy = wilsonInterval(scores.accuracy, sets.truth.length);
	const [balancedAccuracy = null, macroF1 = null, microF1 = null, ...f1] = bootstrapIntervals(
		found.cells,
		sets.classes,
		(resample) => {
			const { balancedAccuracy, macroF1, microF1 } = meanScores(resample);
			return [balancedAccuracy, macroF1, microF1, ...classScores(resample).map((score) => score.f1)];
		},
	);
	return {
		...scores,
		intervals: { accuracy, balancedAccuracy, macroF1, mcc: null, microF1 },
		confusion: [],
		perClass: classDetails(found.counts, f1, (label) => rankingScores(...rankedBy(sets, label))),
	};
}

/**
 * Chooses the threshold of each label with the best F1 against all other labels: halfway between the probabilities of
 * the last text above it and the next one. 0.5 if no text has the label; of equally good ones the highest.
 * @param texts probability of each label, by text
 * @param truth label indices of each text
 * @param classes number of labels
 */
export function chooseThresholds(
	texts: readonly (readonly number[])[],
	truth: LabelSets["truth"],
	classes: number,
): number[] {
	return Array.from({ length: classes }, (_, label) => {
		const belongs = truth.map((labels) => labels.includes(label));
		const probabilities = texts.map((of) => of[label] ?? 0);
		const order = [...probabilities.keys()].sort((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0));
		const support = belongs.filter(Boolean).length;
		let [threshold, best, hits] = [0.5, 0, 0];
		for (const [rank, text] of order.entries()) {
			if (belongs[text]) hits++;
			const [own = 0, next = 0] = [probabilities[text], probabilities[order[rank + 1] ?? -1]];
			const f1 = (2 * hits) / (rank + 1 + support);
			if (own === next || f1 <= best) continue;
			[threshold, best] = [(own + next) / 2, f1];
		}
		return threshold;
	});
}

/** Returns the most frequent set of labels, and its share of the texts. */
export function majorityLabels(truth: LabelSets["truth"]): {
	readonly labels: readonly number[];
	readonly accuracy: number;
} {
	const counts = new Map<string, { readonly labels: readonly number[]; count: number }>();
	for (const labels of truth) {
		const known = counts.get(labels.join());
		if (known) known.count++;
		else counts.set(labels.join(), { labels, count: 1 });
	}
	const [most] = [...counts.values()].sort((a, b) => b.count - a.count);
	return { labels: most?.labels ?? [], accuracy: (most?.count ?? 0) / truth.length };
}

/** Counts the texts by their labels and predicted labels, and those with exactly their labels. */
function countLabels({ logits, truth, classes }: LabelSets, thresholds: Thresholds) {
	const cells = new Map<string, { own: readonly number[]; to: readonly number[]; count: number }>();
	for (const [text, own] of truth.entries()) {
		const to = labelsAbove(toLabelProbabilities(logits.slice(text * classes, (text + 1) * classes)), thresholds);
		const key = `${own.join()}>${to.join()}`;
		const cell = cells.get(key);
		if (cell) cell.count++;
		else cells.set(key, { own, to, count: 1 });
	}
	const all = [...cells.values()];
	const exact = sum(all.filter(({ own, to }) => own.join() === to.join()).map(({ count }) => count));
	return { cells: all, counts: countCells(all, classes), exact };
}

/** Returns the logit of a label for each text, and whether the text has the label. */
function rankedBy({ logits, truth, classes }: LabelSets, label: number): [number[], boolean[]] {
	return [truth.map((_, text) => logits[text * classes + label] ?? 0), truth.map((labels) => labels.includes(label))];
}
