import test from "ava";
import type { LabelPrediction } from "../../../coordinator/metrics/scoring.ts";
import { chooseTestTexts } from "../../../coordinator/training/choose-test-texts.ts";

/** Texts with these predictions; ids are places. */
function choose(
	truth: readonly (readonly number[])[],
	predictions: readonly (readonly number[])[],
	thresholds?: readonly number[],
) {
	const labels = (predictions[0] ?? []).map((_, label) => `label ${label}`);
	const predict = (id: number): LabelPrediction => {
		const probabilities = predictions[id] ?? [];
		const label = probabilities.indexOf(Math.max(...probabilities));
		const several = probabilities.flatMap((p, of) => (p >= (thresholds?.[of] ?? 0) ? [of] : []));
		return { label, labels: thresholds ? several : [label], probabilities };
	};
	const texts = { test: [...truth.keys()], labels, labelsOf: (id: number) => truth[id] ?? [] };
	const rule = { multiLabel: thresholds !== undefined, thresholds: thresholds ?? [] };
	return chooseTestTexts(texts, { predict }, rule);
}

test("mistakes come by the probability of the wrong label, uncertain texts by the distance of the two largest ones", (t) => {
	const { mistakes, uncertain } = choose(
		[[0], [0], [1], [1]],
		[
			[0.45, 0.44, 0.11],
			[0.1, 0.8, 0.1],
			[0.9, 0.05, 0.05],
			[0.2, 0.5, 0.3],
		],
	);
	t.deepEqual(
		mistakes.map(({ id, about }) => [id, about]),
		[
			[2, 0],
			[1, 1],
		],
	);
	t.deepEqual(
		uncertain.map(({ id }) => id),
		[0, 3, 1, 2],
	);
});

test("with several labels, a mistake is about its most wrong label, an uncertain text about the nearest threshold", (t) => {
	const { mistakes, uncertain } = choose(
		[[0], [0, 1], [1]],
		[
			[0.9, 0.7],
			[0.9, 0.1],
			[0.1, 0.9],
		],
		[0.5, 0.6],
	);
	t.deepEqual(
		mistakes.map(({ id, about }) => [id, about]),
		[
			[1, 1],
			[0, 1],
		],
	);
	t.deepEqual(uncertain[0] && [uncertain[0].id, uncertain[0].about], [0, 1]);
});

test("the ten worst mistakes are kept, then five of each pair, at most 200 of all pairs", (t) => {
	const classes = 60;
	const wrong = (label: number, p: number) => Array.from({ length: classes }, (_, of) => (of === label ? p : 0));
	const worst = Array.from({ length: 30 }, () => wrong(1, 0.99));
	const others = Array.from({ length: 50 * 6 }, (_, i) => wrong(2 + (i % 50), 0.9));
	const { mistakes } = choose(
		[...worst, ...others].map(() => [0]),
		[...worst, ...others],
	);
	t.is(mistakes.length, 200);
	t.deepEqual(
		mistakes.slice(0, 11).map(({ id }) => id),
		[...Array.from({ length: 10 }, (_, i) => i), 30],
	);
	t.is(mistakes.filter(({ about }) => about === 2).length, 4);
});
