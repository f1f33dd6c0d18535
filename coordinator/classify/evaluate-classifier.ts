import { type Dataset, type Example, labelsOf, withLabels } from "../data/dataset.ts";
import type { RunEvents } from "../events/run-events.ts";
import type { ClassifierEvaluation } from "../events/schemas.ts";
import { majorityLabels } from "../metrics/label-sets.ts";
import { nameLabels } from "../metrics/probabilities.ts";
import type { Classifier, TextAnswer } from "./classifier.ts";

/**
 * Classifies every text of a data set and compares the predictions with the labels.
 * @param onAnswers called with the texts, their labels as indices of the model's labels, and the answers
 * @throws TailtuneError "data" that names a row with a label unknown to the model, or as `Classifier.classify`
 */
export async function evaluateClassifier(
	classifier: Classifier,
	dataset: Dataset,
	events: RunEvents,
	onAnswers: (examples: readonly Example[], answers: readonly TextAnswer[]) => Promise<void> = async () => {},
): Promise<ClassifierEvaluation> {
	const { labels, foldedTemperature } = classifier.settings;
	const { examples } = withLabels(dataset, labels);
	const truth = examples.map(labelsOf);
	const bar = events.phase("evaluation", truth.length, "texts");
	const answers = await classifier.classify(examples, (count) => bar.advance(count));
	bar.done();
	await onAnswers(examples, answers);
	// As in result.json, loss and scores are those of the logits before they are divided by the temperature.
	const logits = answers.flatMap((answer) => answer.logits.map((logit) => logit * foldedTemperature));
	const majority = majorityLabels(truth);
	return {
		texts: truth.length,
		cut: answers.filter(({ truncated }) => truncated).length,
		maxTokens: classifier.limit.tokens,
		majorityBaseline: { label: nameLabels(labels, majority.labels), accuracy: majority.accuracy },
		labels,
		...classifier.scoring.scoreInDetail(logits, truth, labels.length),
	};
}
