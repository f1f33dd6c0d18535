import test from "ava";
import fc from "fast-check";
import { allFinite } from "../../../shared/vectors/all-finite.ts";

const finite = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 20 });
const bad = fc.constantFrom(Number.NaN, -Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);

test("finite numbers are accepted, also the largest, the smallest and none at all", (t) => {
	fc.assert(fc.property(finite, (numbers) => allFinite(Float32Array.from(numbers))));
	t.true(allFinite(Float32Array.of(3.4028234663852886e38, -3.4028234663852886e38, 1e-45, -1e-45, 0, -0)));
	t.true(allFinite(new Float32Array(5000)));
});

test("one non-finite number is found at any position", (t) => {
	fc.assert(
		fc.property(finite, bad, finite, (before, number, after) => {
			return !allFinite(Float32Array.of(...before, number, ...after));
		}),
	);
	fc.assert(
		fc.property(fc.nat(4999), bad, (at, number) => {
			const numbers = new Float32Array(5000);
			numbers[at] = number;
			return !allFinite(numbers);
		}),
	);
	t.pass();
});

test("numbers outside the checked part and earlier checks don't matter", (t) => {
	const numbers = Float32Array.of(Number.NaN, 1, 2, 3, 4, 5, Number.NaN);
	t.false(allFinite(numbers));
	t.true(allFinite(numbers.subarray(1, 6)));
});
