import { nameProbabilities } from "../metrics/probabilities.ts";
import type { PredictionLine } from "../run-folder/predictions.ts";
import type { Evaluation } from "./evaluator.ts";
import type { RunTexts } from "./run-texts.ts";

/** Lists the predictions for the validation texts, then for the test texts, each set in its order. */
export function* listPredictions(
	texts: RunTexts,
	evaluation: Evaluation,
	temperature: number,
): Generator<PredictionLine> {
	const { labels } = texts;
	for (const set of ["validation", "test"] as const) {
		for (const id of texts[set]) {
			const own = texts.labelOf(id);
			const { label, probabilities } = evaluation.predict(id, temperature);
			const { source = "", tokens = 0, cut = false } = texts.details[id] ?? {};
			yield {
				set,
				source,
				label: labels[own] ?? "",
				correct: label === own,
				predicted: labels[label] ?? "",
				probabilities: nameProbabilities(labels, probabilities),
				tokens,
				cut,
			};
		}
	}
}
