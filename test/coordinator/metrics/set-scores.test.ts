import test from "ava";
import fc from "fast-check";
import { countClasses } from "../../../coordinator/metrics/classification.ts";
import { overallScores } from "../../../coordinator/metrics/overall-scores.ts";
import { scoreInDetail, scoreSet } from "../../../coordinator/metrics/set-scores.ts";
import { LABELS, LOGITS } from "./four-classes.ts";

/** Scores of the four classes by scikit-learn 1.9.1. */
const SCORES = {
	accuracy: 0.7083333333333334,
	balancedAccuracy: 0.821969696969697,
	macroF1: 0.6997481684981686,
	mcc: 0.6510696465351062,
	loss: 0.8383920090960904,
};
const BY_CLASS = {
	precision: [1, 0.7142857142857143, 0.7142857142857143, 0.4],
	recall: [0.45454545454545453, 1, 0.8333333333333334, 1],
	f1: [0.625, 0.8333333333333334, 0.7692307692307693, 0.5714285714285714],
	averagePrecision: [0.8837703962703962, 0.821111111111111, 0.8015873015873016, 0.8333333333333333],
	rocAuc: [0.8811188811188811, 0.9368421052631579, 0.888888888888889, 0.9772727272727273],
};

test("the scores of a set and of its classes are scikit-learn's", (t) => {
	const detailed = scoreInDetail(LOGITS, LABELS, 4);
	for (const [name, expected] of Object.entries(SCORES)) {
		const found = detailed[name as keyof typeof SCORES] ?? Number.NaN;
		t.true(Math.abs(found - expected) < 1e-12, `${name}: ${found}, expected ${expected}`);
		t.is(scoreSet(LOGITS, LABELS, 4)[name as keyof typeof SCORES], found);
	}
	for (const [name, values] of Object.entries(BY_CLASS)) {
		for (const [label, expected] of values.entries()) {
			const found = detailed.perClass[label]?.[name as keyof typeof BY_CLASS] ?? Number.NaN;
			t.true(Math.abs(found - expected) < 1e-12, `${name} of class ${label}: ${found}, expected ${expected}`);
		}
	}
});

test("classes without texts count as in scikit-learn, and MCC is null if it isn't defined", (t) => {
	// y_true = [0, 0, 0, 1, 1, 0], y_pred = [0, 1, 2, 1, 1, 0]
	const absent = overallScores(
		countClasses([
			[2, 1, 1],
			[0, 2, 0],
			[0, 0, 0],
		]),
	);
	t.is(absent.balancedAccuracy, 0.75);
	t.true(Math.abs(absent.macroF1 - 0.48888888888888893) < 1e-12);
	t.true(Math.abs((absent.mcc ?? 0) - 0.5330017908890261) < 1e-12);
	const constant = [
		[3, 0],
		[2, 0],
	];
	t.is(overallScores(countClasses(constant)).mcc, null);
});

test("every score lies in its interval, and MCC is the correlation of two classes", (t) => {
	const count = fc.integer({ min: 0, max: 40 });
	fc.assert(
		fc.property(fc.tuple(count, count, count, count), ([tp, fn, fp, tn]) => {
			fc.pre(tp + fn > 0 && fp + tn > 0 && tp + fp > 0 && fn + tn > 0);
			const texts = [...Array(tp + fn).fill(0), ...Array(fp + tn).fill(1)];
			const predictions = [...Array(tp).fill(0), ...Array(fn).fill(1), ...Array(fp).fill(0), ...Array(tn).fill(1)];
			const logits = predictions.flatMap((label: number) => (label === 0 ? [1, 0] : [0, 1]));
			const { mcc, accuracy, intervals, perClass } = scoreInDetail(logits, texts, 2);
			const root = Math.sqrt((tp + fn) * (fp + tn) * (tp + fp) * (fn + tn));
			t.true(Math.abs((mcc ?? 2) - (tp * tn - fp * fn) / root) < 1e-9);
			const isWithin = (score: number | null, interval: readonly [number, number] | null) =>
				score !== null && interval !== null && interval[0] <= score + 1e-9 && score <= interval[1] + 1e-9;
			t.true(isWithin(accuracy, intervals.accuracy));
			t.true(isWithin(perClass[0]?.precision ?? null, perClass[0]?.precisionInterval ?? null));
		}),
		{ numRuns: 30 },
	);
});
