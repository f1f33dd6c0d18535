import type { Thresholds } from "../metrics/choose-label.ts";
import { nameLabels } from "../metrics/probabilities.ts";
import type { LabelRule } from "../metrics/scoring.ts";
import type { Evaluation } from "./evaluator.ts";
import type { RunTexts } from "./run-texts.ts";

/** Worst mistakes and most uncertain texts, whose words are examined. */
export const MOST_EXPLAINED = 10;
/** Further mistakes: of each pair of a label and another predicted label, and of all pairs together. */
const MOST_OF_PAIR = 5;
const MOST_MISTAKES = 200;

/** A test text for the report. */
export interface ChosenText {
	readonly id: number;
	/** Index of the label whose probability decided the prediction. */
	readonly about: number;
	/** Mistakes: how wrong the probability of `about` is. Otherwise how close the decision was; smaller is closer. */
	readonly score: number;
}

/** The test texts for the report, at most 200 and 10. */
export interface ChosenTexts {
	/** The most confident ones first. */
	readonly mistakes: readonly ChosenText[];
	/** The closest decisions first. */
	readonly uncertain: readonly ChosenText[];
}

/**
 * Chooses the worst mistakes of the test set, with a few of each pair of labels, and the most uncertain predictions.
 */
export function chooseTestTexts(
	texts: Pick<RunTexts, "test" | "labels" | "labelsOf">,
	evaluation: Pick<Evaluation, "predict">,
	{ multiLabel, thresholds }: Pick<LabelRule, "multiLabel" | "thresholds">,
): ChosenTexts {
	const judge = multiLabel ? judgeSeveral(texts, evaluation, thresholds) : judgeOne(texts, evaluation);
	const judged = texts.test.map(judge);
	const mistakes = judged.flatMap(({ mistake }) => (mistake ? [mistake] : [])).sort((a, b) => b.score - a.score);
	const pairOf = ({ id }: ChosenText) =>
		JSON.stringify([texts.labelsOf(id), evaluation.predict(id).labels].map((of) => nameLabels(texts.labels, of)));
	return {
		mistakes: limitPairs(mistakes, pairOf),
		uncertain: judged
			.map(({ decision }) => decision)
			.sort((a, b) => a.score - b.score)
			.slice(0, MOST_EXPLAINED),
	};
}

type Judge = (id: number) => { readonly mistake: ChosenText | undefined; readonly decision: ChosenText };

/** A mistake is as bad as its probability is high; a decision is as close as the two largest probabilities. */
function judgeOne({ labelsOf }: Pick<RunTexts, "labelsOf">, evaluation: Pick<Evaluation, "predict">): Judge {
	return (id) => {
		const { label: about, probabilities } = evaluation.predict(id);
		const first = probabilities[about] ?? 0;
		const second = probabilities.reduce((most, p, label) => (label === about ? most : Math.max(most, p)), 0);
		const isWrong = labelsOf(id)[0] !== about;
		return {
			mistake: isWrong ? { id, about, score: first } : undefined,
			decision: { id, about, score: first - second },
		};
	};
}

/** A mistake is as bad as its most wrong label; a decision is as close as the label nearest to its threshold. */
function judgeSeveral(
	{ labels, labelsOf }: Pick<RunTexts, "labels" | "labelsOf">,
	evaluation: Pick<Evaluation, "predict">,
	thresholds: Thresholds,
): Judge {
	return (id) => {
		const { labels: found, probabilities } = evaluation.predict(id);
		const own = labelsOf(id);
		const of = labels.map((_, about) => {
			const probability = probabilities[about] ?? 0;
			const error = own.includes(about) ? 1 - probability : probability;
			const isWrong = own.includes(about) !== found.includes(about);
			return { id, about, error, isWrong, distance: Math.abs(probability - (thresholds[about] ?? 0.5)) };
		});
		const worst = of.filter(({ isWrong }) => isWrong).sort((a, b) => b.error - a.error)[0];
		const closest = of.sort((a, b) => a.distance - b.distance)[0];
		return {
			mistake: worst && { id, about: worst.about, score: worst.error },
			decision: { id, about: closest?.about ?? 0, score: closest?.distance ?? 0 },
		};
	};
}

function limitPairs(mistakes: readonly ChosenText[], pairOf: (text: ChosenText) => string): ChosenText[] {
	const counts = new Map<string, number>();
	const kept = mistakes.filter((mistake, place) => {
		const pair = pairOf(mistake);
		const before = counts.get(pair) ?? 0;
		if (place >= MOST_EXPLAINED && before >= MOST_OF_PAIR) return false;
		counts.set(pair, before + 1);
		return true;
	});
	return kept.slice(0, MOST_MISTAKES);
}
