import test from "ava";
import { wholePower } from "../../../shared/vectors/whole-power.ts";

// Products of Python's floats, in the same order. Powers of V8 differ in the last digits.
const EXPECTED: readonly [base: number, exponent: number, power: number][] = [
	[0.9, 0, 1],
	[0.9, 1, 0.9],
	[0.9, 3, 0.7290000000000001],
	[0.9, 10, 0.34867844010000015],
	[0.999, 10, 0.9900448802097483],
	[0.999, 999, 0.36806348825922625],
	[0.999, 1000, 0.36769542477096695],
	[0.999, 123457, 2.2723745418916856e-54],
];

test("powers are computed as products, which have the same bits on every machine", (t) => {
	for (const [base, exponent, power] of EXPECTED) t.is(wholePower(base, exponent), power, `${base} ** ${exponent}`);
});
