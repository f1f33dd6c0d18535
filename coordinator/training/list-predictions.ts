import { nameLabels, nameProbabilities } from "../metrics/probabilities.ts";
import type { PredictionLine } from "../run-folder/predictions.ts";
import type { Evaluation } from "./evaluator.ts";
import type { RunTexts } from "./run-texts.ts";

/** Lists the predictions for the validation texts, then for the test texts, each set in its order. */
export function* listPredictions(texts: RunTexts, evaluation: Evaluation): Generator<PredictionLine> {
	const { labels } = texts;
	for (const set of ["validation", "test"] as const) {
		for (const id of texts[set]) {
			const own = nameLabels(labels, texts.labelsOf(id));
			const { labels: found, probabilities } = evaluation.predict(id);
			const predicted = nameLabels(labels, found);
			const { source = "", tokens = 0, cut = false } = texts.details[id] ?? {};
			yield {
				set,
				source,
				label: own,
				correct: predicted === own,
				predicted,
				probabilities: nameProbabilities(labels, probabilities),
				tokens,
				cut,
			};
		}
	}
}
