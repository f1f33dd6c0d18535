import { TailtuneError } from "../../shared/errors.ts";
import type { SourcedText } from "../data/dataset.ts";
import type { Classification } from "../events/schemas.ts";
import { nameLabels, nameProbabilities } from "../metrics/probabilities.ts";
import type { TextAnswer } from "./classifier.ts";

/** Converts the answer to a text, or the error of a text without one, to a classification, which names the labels. */
export function toClassification(
	{ text, source }: SourcedText,
	answer: TextAnswer | TailtuneError,
	labels: readonly string[],
): Classification {
	if (answer instanceof TailtuneError) {
		const none = { label: null, labels: [], probability: null, probabilities: {}, tokens: 0, truncated: false };
		return { text, source, ...none, error: answer.message };
	}
	const { label, labels: found, probabilities, tokens, truncated } = answer;
	return {
		...{ text, source, label: nameLabels(labels, found), probability: probabilities[label] ?? 0 },
		labels: found.map((index) => labels[index] ?? ""),
		probabilities: nameProbabilities(labels, probabilities),
		...{ tokens, truncated },
	};
}
