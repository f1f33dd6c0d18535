import { type SetScores, scoreSet } from "../metrics/set-scores.ts";
import type { Limits } from "./find-minimum.ts";
import { fitLogisticRegression, logitsOf, widthOf } from "./logistic-regression.ts";
import { TfIdf } from "./tf-idf.ts";

/** Texts with their classes. */
export interface LabelledTexts {
	readonly texts: readonly string[];
	/** Class of each text, in [0, classes). */
	readonly labels: readonly number[];
}

/** Scores of the baseline on the test set. */
export interface WordBaseline extends SetScores {
	/** Number of different words that it uses. */
	readonly words: number;
}

/** Largest value of the mean loss's gradient at the end, as in scikit-learn. */
const TOLERANCE = 1e-4;
/** Most parameters: with the memory of L-BFGS 80 MB. */
const MOST_PARAMETERS = 500_000;
/** Most multiplications: a few seconds. */
const MOST_WORK = 1_500_000_000;
const MOST_EVALUATIONS = 60;
/** With fewer evaluations the fit may be far from its end; 100,000 texts of 12 classes took 27. */
const LEAST_EVALUATIONS = 30;
/** Most characters; to split more of them into words would take several seconds. */
const MOST_CHARACTERS = 60_000_000;

/**
 * Fits TF-IDF of words with logistic regression to the training texts, and scores it on the test texts.
 * @param onTurn called now and then; may throw to end the work
 * @returns the scores, or the reason why it would take too long
 */
export async function computeWordBaseline(
	train: LabelledTexts,
	test: LabelledTexts,
	classes: number,
	onTurn: Limits["onTurn"],
): Promise<WordBaseline | string> {
	const characters = [...train.texts, ...test.texts].reduce((total, { length }) => total + length, 0);
	if (characters > MOST_CHARACTERS) return `the texts have ${characters} characters, more than ${MOST_CHARACTERS}`;
	const tfIdf = await TfIdf.fit(train.texts, Math.floor(MOST_PARAMETERS / widthOf(classes)));
	const rows = await tfIdf.transform(train.texts);
	// Each value is multiplied once for the score and once for the gradient, for each class.
	const work = 2 * rows.values.length * widthOf(classes);
	const evaluations = Math.min(MOST_EVALUATIONS, Math.floor(MOST_WORK / Math.max(1, work)));
	if (evaluations < LEAST_EVALUATIONS) return `the training texts have too many words for ${classes} classes`;
	const model = await fitLogisticRegression(rows, train.labels, classes, { tolerance: TOLERANCE, evaluations, onTurn });
	const logits = logitsOf(model, await tfIdf.transform(test.texts));
	return { ...scoreSet(logits, test.labels, classes), words: rows.features };
}
