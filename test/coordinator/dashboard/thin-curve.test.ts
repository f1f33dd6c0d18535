import test from "ava";
import fc from "fast-check";
import {
	type Curve,
	type CurvePoint,
	EMPTY_CURVE,
	MOST_POINTS,
	pointsOf,
	withPoint,
} from "../../../coordinator/dashboard/thin-curve.ts";

const curveOf = (values: readonly number[]): Curve =>
	values.map((value, i): CurvePoint => [i * 8, i / 10, value]).reduce(withPoint, EMPTY_CURVE);

test("a curve keeps a bounded number of points, in order, with the first, last, smallest and largest of all", (t) => {
	const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
		minLength: 1,
		maxLength: 1500,
		size: "max",
	});
	fc.assert(
		fc.property(values, (all) => {
			const points = pointsOf(curveOf(all));
			t.true(points.length <= MOST_POINTS);
			t.deepEqual(points[0], [0, 0, all[0]]);
			t.is(points.at(-1)?.[0], (all.length - 1) * 8);
			const kept = points.map(([, , value]) => value);
			t.is(Math.min(...kept), Math.min(...all));
			t.is(Math.max(...kept), Math.max(...all));
			t.true(points.every(([texts], i) => i === 0 || texts > (points[i - 1]?.[0] ?? 0)));
			t.true(points.every(([texts, , value]) => all[texts / 8] === value));
		}),
		{ numRuns: 20 },
	);
});

test("a curve of many points is as detailed at its end as at its beginning", (t) => {
	const points = pointsOf(curveOf(Array.from({ length: 50_000 }, (_, i) => Math.sin(i))));
	t.true(points.length > MOST_POINTS / 4);
	const gaps = points.slice(1).map(([texts], i) => texts - (points[i]?.[0] ?? 0));
	t.true(Math.max(...gaps) <= (8 * 50_000) / 100);
});
