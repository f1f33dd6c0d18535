import test from "ava";
import fc from "fast-check";
import { classLogOdds, rankingScores } from "../../../coordinator/metrics/ranking.ts";

test("average precision and ROC AUC with equal scores are scikit-learn's", (t) => {
	const belongs = [false, true, true, false, false, true, false, false];
	const { averagePrecision, rocAuc } = rankingScores([1, 1, 2, 2, 2, 3, 0, 3], belongs);
	t.true(Math.abs((averagePrecision ?? 0) - 0.44285714285714284) < 1e-12, `${averagePrecision}`);
	t.true(Math.abs((rocAuc ?? 0) - 0.6) < 1e-12, `${rocAuc}`);
});

test("ROC AUC is the share of pairs in the right order; average precision sums precision over growing recall", (t) => {
	const text = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean());
	fc.assert(
		fc.property(fc.array(text, { minLength: 2, maxLength: 30 }), (texts) => {
			const [scores, belongs] = [texts.map(([score]) => score), texts.map(([, is]) => is)];
			const own = scores.filter((_, i) => belongs[i]);
			const others = scores.filter((_, i) => !belongs[i]);
			const { averagePrecision, rocAuc } = rankingScores(scores, belongs);
			if (own.length === 0) return averagePrecision === null && rocAuc === null;
			let precisions = 0;
			for (const threshold of new Set(own)) {
				const found = own.filter((score) => score >= threshold).length;
				const gained = own.filter((score) => score === threshold).length;
				precisions += (gained * found) / scores.filter((score) => score >= threshold).length;
			}
			if (Math.abs((averagePrecision ?? 0) - precisions / own.length) > 1e-9) return false;
			if (others.length === 0) return rocAuc === null;
			const pairs = own.flatMap((a) => others.map((b) => (a > b ? 1 : a === b ? 0.5 : 0)));
			const share = pairs.reduce<number>((total, pair) => total + pair, 0) / pairs.length;
			return Math.abs((rocAuc ?? 0) - share) < 1e-9;
		}),
	);
	t.pass();
});

test("texts whose probability rounds to 1 are still ranked", (t) => {
	const [first = 0, second = 0] = classLogOdds([0, 100, 0, 0, 200, 0], 3)[1] ?? [];
	t.true(second > first && Math.abs(first - (100 - Math.log(2))) < 1e-12);
});

test("texts with the same logits of the other classes, in any order, are ranked by the logit of the class alone", (t) => {
	const row = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 4, maxLength: 7 });
	const two = row.chain((own) =>
		fc.tuple(fc.constant(own), fc.shuffledSubarray(own.slice(1), { minLength: own.length - 1 })),
	);
	fc.assert(
		fc.property(two, ([own, others]) => {
			const [[first, second] = []] = classLogOdds([...own, own[0] ?? 0, ...others], own.length);
			t.is(first, second);
		}),
	);
});
