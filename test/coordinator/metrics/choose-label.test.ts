import test from "ava";
import fc from "fast-check";
import { chooseLabel } from "../../../coordinator/metrics/choose-label.ts";

const choose = (probabilities: number[], thresholds: (number | null)[], least = 0) =>
	chooseLabel(probabilities.map(Math.log), probabilities, thresholds, least);

test("with two labels, one threshold decides, as in scikit-learn's FixedThresholdClassifier", (t) => {
	t.deepEqual(
		[0.29, 0.3, 0.5, 0.79, 0.8].map((spam) =>
			[0.3, 0.8].map((threshold) => choose([1 - spam, spam], [null, threshold])),
		),
		[
			[0, 0],
			[1, 0],
			[1, 0],
			[1, 0],
			[1, 1],
		],
	);
});

test("without a threshold that is reached, the most probable other label is chosen, if it is probable enough", (t) => {
	t.is(choose([0.5, 0.3, 0.2], [0.6, null, null]), 1);
	t.is(choose([0.5, 0.3, 0.2], [0.6, null, null], 0.3), 1);
	t.is(choose([0.5, 0.3, 0.2], [0.6, null, null], 0.31), undefined);
	t.is(choose([0.5, 0.3, 0.2], [0.6, 0.4, 0.3]), undefined);
	t.is(choose([0.2, 0.5, 0.3], [null, 0.4, 0.25]), 1);
	t.is(choose([0.4, 0.4, 0.2], []), 0);
});

test("a label with a threshold is chosen if, and only if, it is the most probable of those that reach theirs", (t) => {
	const text = fc.array(fc.tuple(fc.integer({ min: 1, max: 99 }), fc.option(fc.integer({ min: 1, max: 99 }))), {
		minLength: 2,
		maxLength: 5,
	});
	fc.assert(
		fc.property(text, (rows) => {
			const probabilities = rows.map(([weight]) => weight / 100);
			const thresholds = rows.map(([, threshold]) => (threshold === null ? null : threshold / 100));
			const reached = rows.filter(([weight, threshold]) => threshold !== null && weight >= threshold);
			const candidates = reached.length > 0 ? reached : rows.filter(([, threshold]) => threshold === null);
			const largest = Math.max(...candidates.map(([weight]) => weight));
			const expected = rows.findIndex((row) => candidates.includes(row) && row[0] === largest);
			return choose(probabilities, thresholds) === (expected < 0 ? undefined : expected);
		}),
	);
	t.pass();
});
