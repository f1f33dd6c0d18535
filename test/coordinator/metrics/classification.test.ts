import test from "ava";
import fc from "fast-check";
import {
	classScores,
	confusionMatrix,
	countClasses,
	majorityBaseline,
} from "../../../coordinator/metrics/classification.ts";

/** True and predicted classes of the same length, and the number of classes. */
const answers = fc.integer({ min: 1, max: 6 }).chain((classes) => {
	const one = fc.integer({ min: 0, max: classes - 1 });
	return fc
		.array(fc.tuple(one, one), { minLength: 1, maxLength: 60 })
		.map((pairs) => ({ classes, labels: pairs.map((pair) => pair[0]), predictions: pairs.map((pair) => pair[1]) }));
});

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

test("a confusion matrix counts true classes in rows and predicted ones in columns", (t) => {
	t.deepEqual(confusionMatrix([0, 0, 0, 1, 1, 2], [0, 1, 1, 1, 0, 1], 3), [
		[1, 2, 0],
		[1, 1, 0],
		[0, 1, 0],
	]);
});

test("precision, recall and F1 equal values computed by hand", (t) => {
	const scores = classScores(
		countClasses([
			[145, 4],
			[6, 145],
		]),
	);
	t.deepEqual(scores[0], { precision: 145 / 151, recall: 145 / 149, f1: 290 / 300, support: 149 });
	t.deepEqual(scores[1], { precision: 145 / 149, recall: 145 / 151, f1: 290 / 300, support: 151 });
});

test("a score of 0 / 0 is null", (t) => {
	const [predicted, neverPredicted, absent] = classScores(
		countClasses([
			[3, 0, 0],
			[2, 0, 0],
			[0, 0, 0],
		]),
	);
	t.deepEqual(predicted, { precision: 3 / 5, recall: 1, f1: 6 / 8, support: 3 });
	t.deepEqual(neverPredicted, { precision: null, recall: 0, f1: 0, support: 2 });
	t.deepEqual(absent, { precision: null, recall: null, f1: null, support: 0 });
});

test("every text is counted once, by its class and by its prediction", (t) => {
	fc.assert(
		fc.property(answers, ({ classes, labels, predictions }) => {
			const confusion = confusionMatrix(labels, predictions, classes);
			for (let c = 0; c < classes; c++) {
				t.is(sum(confusion[c] ?? []), labels.filter((label) => label === c).length);
				t.is(sum(confusion.map((row) => row[c] ?? 0)), predictions.filter((prediction) => prediction === c).length);
			}
		}),
	);
	t.pass();
});

test("F1 is the harmonic mean, and recall weighted by support is the accuracy", (t) => {
	fc.assert(
		fc.property(answers, ({ classes, labels, predictions }) => {
			const scores = classScores(countClasses(confusionMatrix(labels, predictions, classes)));
			for (const { precision, recall, f1 } of scores) {
				if (precision && recall) t.true(Math.abs((f1 ?? 0) - 2 / (1 / precision + 1 / recall)) < 1e-12);
			}
			const found = sum(scores.map(({ recall, support }) => (recall ?? 0) * support));
			const correct = labels.filter((label, i) => label === predictions[i]).length;
			t.true(Math.abs(found - correct) < 1e-9);
		}),
	);
	t.pass();
});

test("the majority baseline is the share of the most frequent label, or the first of equally frequent ones", (t) => {
	t.deepEqual(majorityBaseline([1, 0, 0, 0], 2), { label: 0, accuracy: 0.75 });
	t.deepEqual(majorityBaseline([2, 1, 2, 1], 3), { label: 1, accuracy: 0.5 });
	fc.assert(
		fc.property(answers, ({ classes, labels }) => {
			const { label, accuracy } = majorityBaseline(labels, classes);
			t.is(accuracy, labels.filter((of) => of === label).length / labels.length);
			t.true(accuracy >= 1 / classes, "no worse than chance");
		}),
	);
});
