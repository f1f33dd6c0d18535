import test from "ava";
import {
	chooseThresholds,
	majorityLabels,
	scoreLabelSetsInDetail,
	toLabelProbabilities,
} from "../../../coordinator/metrics/label-sets.ts";

// 12 random texts, 3 labels. The expected numbers are those of scikit-learn 1.7 and of torch's BCEWithLogitsLoss.
const truth = [[], [0, 1], [0, 1, 2], [], [0], [], [1], [0, 2], [], [2], [1], [0, 1]];
const logits = [
	[-1.84, -2.11, -0.53],
	[-0.36, 1.92, -0.03],
	[-1.25, 1.02, -0.35],
	[-0.72, -0.71, -2.74],
	[0.52, -1.01, 0.21],
	[-1.93, -0.01, -1.85],
	[-1.08, -0.09, 0.7],
	[1.32, 1.68, 1.39],
	[0.09, 0.09, -1.36],
	[-0.82, 0.6, 0.35],
	[-0.56, 0.73, -0.14],
	[0.39, 0.6, -0.51],
].flat();
const sets = { logits, truth, classes: 3 };

test("scores of label sets agree with scikit-learn, the loss with torch", (t) => {
	const scores = scoreLabelSetsInDetail(sets, [0.5, 0.4, 0.6]);
	const close = (value: number | null | undefined, expected: number) =>
		t.true(Math.abs((value ?? Number.NaN) - expected) < 1e-12, `${value}, expected ${expected}`);
	close(scores.loss, 0.5420780107318288);
	close(scores.accuracy, 0.4166666666666667);
	close(scores.balancedAccuracy, 0.6444444444444445);
	close(scores.macroF1, 0.5936507936507937);
	close(scores.microF1, 0.6428571428571429);
	t.is(scores.mcc, null);
	const expected = [
		[0.75, 0.6, 0.6666666666666666, 5, 0.86, 0.8285714285714285],
		[0.5555555555555556, 1, 0.7142857142857143, 5, 0.7277777777777779, 0.7857142857142857],
		[0.5, 0.3333333333333333, 0.4, 3, 0.6984126984126984, 0.8148148148148149],
	];
	for (const [label, { precision, recall, f1, support, averagePrecision, rocAuc }] of scores.perClass.entries()) {
		for (const [i, value] of [precision, recall, f1, support, averagePrecision, rocAuc].entries())
			close(value, expected[label]?.[i] ?? Number.NaN);
	}
});

test("intervals agree with NumPy's percentiles of 100,000 resamples", (t) => {
	const ten = Array.from({ length: 10 });
	const many = { logits: ten.flatMap(() => logits), truth: ten.flatMap(() => truth), classes: 3 };
	const { intervals, perClass } = scoreLabelSetsInDetail(many, [0.5, 0.4, 0.6]);
	const found = [intervals.balancedAccuracy, intervals.macroF1, intervals.microF1, perClass[0]?.f1Interval];
	const expected = [
		[0.5556, 0.7346],
		[0.5081, 0.6648],
		[0.5781, 0.7021],
		[0.5432, 0.7708],
	];
	for (const [score, interval] of found.entries()) {
		for (const [end, bound] of (interval ?? [Number.NaN, Number.NaN]).entries())
			t.true(Math.abs(bound - (expected[score]?.[end] ?? 0)) < 0.02, `score ${score}: ${bound}`);
	}
	t.is(intervals.mcc, null);
});

test("each threshold has the best F1 of its label, as precision_recall_curve finds it", (t) => {
	const expected = [0.3872535128298843, 0.5840705655087978, 0.5694627442458278];
	const texts = truth.map((_, text) => toLabelProbabilities(logits.slice(3 * text, 3 * text + 3)));
	for (const [label, threshold] of chooseThresholds(texts, truth, 3).entries())
		t.true(Math.abs(threshold - (expected[label] ?? 0)) < 1e-12);
	t.deepEqual(
		scoreLabelSetsInDetail(sets, expected).perClass.map(({ f1 }) => f1),
		[0.8, 8 / 11, 2 / 3],
	);
});

test("a label that no text has keeps the threshold 0.5, and the most frequent set of labels is found", (t) => {
	t.deepEqual(chooseThresholds([[0.9], [0.1]], [[], []], 1), [0.5]);
	t.deepEqual(majorityLabels(truth), { labels: [], accuracy: 4 / 12 });
});
