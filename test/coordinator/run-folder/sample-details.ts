import { listOperatingPoints } from "../../../coordinator/metrics/precision-recall.ts";
import type { ShownText, TestDetails } from "../../../coordinator/run-folder/test-details.ts";

/** Makes details of a test set: a curve per class, mistakes of the first two classes, and an uncertain text. */
export function sampleDetails(labels: readonly string[]): TestDetails {
	return {
		curves: labels.map((label, of) => ({ label, texts: 50, start: 0.5, points: samplePoints(of) })),
		mistakes: Array.from({ length: 7 }, (_, i) => sampleText(labels, i)),
		uncertain: [{ ...sampleText(labels, 3), label: labels[1] ?? "", probability: 0.51 }],
	};
}

function samplePoints(of: number): TestDetails["curves"][number]["points"] {
	const texts = Array.from({ length: 200 }, (_, i) => i);
	const probabilities = texts.map((i) => 1 / (1 + Math.exp(i / 8 - 6 - (of % 3))));
	const belongs = texts.map((i) => i % 200 < 40 || i % 16 === 1 || i % 200 > 197);
	return listOperatingPoints(probabilities, belongs, 100).map(({ threshold, flagged, right }) => [
		threshold,
		flagged,
		Math.min(right, 50),
	]);
}

/** Makes a text of the first class that was predicted as the second one. */
export function sampleText(labels: readonly string[], i: number): ShownText {
	const [label = "", predicted = ""] = labels;
	return {
		source: `sms.tsv:${i + 1}`,
		pieces: [
			{ text: "Please claim your " },
			{ text: "prize", change: -0.4 / (i + 1) },
			{ text: " before " },
			{ text: "dinner", change: 0.1 },
			{ text: " tonight", ...(i % 2 === 0 && { change: -0.001 }) },
		],
		cut: i % 2 === 1,
		...{ label, predicted, about: predicted, probability: 0.99 - i / 100 },
		probabilities: [
			{ label: predicted, probability: 0.99 - i / 100 },
			{ label, probability: 0.01 + i / 100 },
		],
	};
}
