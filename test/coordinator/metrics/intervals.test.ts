import test from "ava";
import { classScores } from "../../../coordinator/metrics/classification.ts";
import { bootstrapIntervals, cellsOf, wilsonInterval } from "../../../coordinator/metrics/intervals.ts";
import { overallScores } from "../../../coordinator/metrics/overall-scores.ts";

const CONFUSION = [
	[180, 5, 2],
	[9, 30, 1],
	[4, 2, 12],
];

test("Wilson's interval equals SciPy's, and is within 0 and 1", (t) => {
	// scipy.stats.binomtest(285, 300) and (3, 7), proportion_ci(method="wilson")
	for (const [right, texts, low, high] of [
		[285, 300, 0.9191529665272559, 0.9694683593706527],
		[3, 7, 0.1582198552514697, 0.7495416354723428],
	] as const) {
		const [least, most] = wilsonInterval(right / texts, texts);
		t.true(Math.abs(least - low) < 1e-7 && Math.abs(most - high) < 1e-7, `${least} ${most}`);
	}
	const [least, most] = wilsonInterval(1, 10);
	t.true(Math.abs(least - 10 / (10 + 3.8414589)) < 1e-6);
	t.true(most <= 1 && most > 1 - 1e-12);
	const [none] = wilsonInterval(0, 10);
	t.true(none >= 0 && none < 1e-12);
	t.is(wilsonInterval(null, 0), null);
});

test("bootstrap intervals agree with NumPy's percentiles of 200,000 resamples, for few texts and for many", (t) => {
	const scores = (confusion: number[][]) =>
		bootstrapIntervals(cellsOf(confusion), 3, (counts) => {
			const { balancedAccuracy, macroF1, mcc } = overallScores(counts);
			return [balancedAccuracy, macroF1, mcc, ...classScores(counts).map(({ f1 }) => f1)];
		});
	const expected = [
		[0.70204, 0.87815],
		[0.7315, 0.88762],
		[0.6464, 0.83875],
		[0.92267, 0.96891],
		[0.66667, 0.87273],
		[0.51852, 0.88],
	];
	for (const [i, interval] of scores(CONFUSION).entries()) {
		for (const [end, bound] of (interval ?? []).entries()) {
			const exact = expected[i]?.[end] ?? Number.NaN;
			t.true(Math.abs(bound - exact) < 0.02, `score ${i}: ${bound}, expected ${exact}`);
		}
	}
	const [, [low, high] = [0, 0]] = scores(CONFUSION.map((row) => row.map((count) => 1000 * count))) as [
		number,
		number,
	][];
	t.true(Math.abs(low - 0.815575) < 0.0005 && Math.abs(high - 0.820323) < 0.0005, `${low} ${high}`);
});

test("the same confusion matrix always has the same bootstrap intervals; a score that is never defined has none", (t) => {
	const once = () => bootstrapIntervals(cellsOf(CONFUSION), 3, (counts) => [overallScores(counts).macroF1, null]);
	t.deepEqual(once(), once());
	t.is(once()[1], null);
});

test("the work has a limit: there are fewer resamples of many classes, and none of very many", (t) => {
	const resamplesOf = (classes: number) => {
		const ones = Array.from({ length: classes }, () => new Array<number>(classes).fill(1));
		let resamples = 0;
		const [interval] = bootstrapIntervals(cellsOf(ones), classes, () => [resamples++]);
		return [resamples, interval !== null];
	};
	t.deepEqual(resamplesOf(2), [1000, true]);
	t.deepEqual(resamplesOf(80), [308, true]);
	t.deepEqual(resamplesOf(300), [1, false]);
});
