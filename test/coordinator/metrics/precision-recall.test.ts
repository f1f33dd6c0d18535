import test from "ava";
import fc from "fast-check";
import { listOperatingPoints } from "../../../coordinator/metrics/precision-recall.ts";
import { rankingScores } from "../../../coordinator/metrics/ranking.ts";

const text = fc.tuple(fc.integer({ min: 0, max: 8 }), fc.boolean());

test("a point counts the texts whose probability reaches its threshold; the points give the average precision", (t) => {
	fc.assert(
		fc.property(fc.array(text, { minLength: 1, maxLength: 40 }), (texts) => {
			const [probabilities, belongs] = [texts.map(([eighths]) => eighths / 8), texts.map(([, is]) => is)];
			const points = listOperatingPoints(probabilities, belongs, 100);
			let sum = 0;
			let before = 0;
			for (const { threshold, flagged, right } of points) {
				const reached = texts.filter(([eighths]) => eighths / 8 >= threshold);
				t.is(flagged, reached.length);
				t.is(right, reached.filter(([, is]) => is).length);
				sum += ((right - before) * right) / flagged;
				before = right;
			}
			t.is(points.at(-1)?.flagged, texts.length);
			const own = belongs.filter(Boolean).length;
			if (own > 0) t.true(Math.abs(sum / own - (rankingScores(probabilities, belongs).averagePrecision ?? 0)) < 1e-9);
		}),
	);
});

test("a long curve is thinned, and keeps its first and its last point", (t) => {
	const probabilities = Array.from({ length: 5000 }, (_, i) => i / 5000);
	const belongs = probabilities.map((_, i) => i % 3 === 0);
	const all = listOperatingPoints(probabilities, belongs, 5000);
	const thin = listOperatingPoints(probabilities, belongs, 100);
	t.is(thin.length, 100);
	t.deepEqual([thin[0], thin[99]], [all[0], all.at(-1)]);
	t.true(thin.every((point, i) => i === 0 || point.flagged > (thin[i - 1]?.flagged ?? 0)));
});
