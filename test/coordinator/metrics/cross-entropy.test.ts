import test from "ava";
import fc from "fast-check";
import { crossEntropy } from "../../../coordinator/metrics/cross-entropy.ts";

test("equal logits cost log(classes)", (t) => {
	t.true(Math.abs(crossEntropy([3, 3, 3, -7, -7, -7], [0, 2], 3) - Math.log(3)) < 1e-12);
});

test("huge logits don't overflow, and the label's logit still counts", (t) => {
	t.is(crossEntropy([1e30, 0], [0], 2), 0);
	t.is(crossEntropy([1e30, 0], [1], 2), 1e30);
});

test("a logit that is NaN makes the loss NaN", (t) => {
	t.is(crossEntropy([0, 1, Number.NaN, 1], [0, 1], 2), Number.NaN);
	t.is(crossEntropy([0, 1, 1, Number.NaN], [0, 0], 2), Number.NaN);
});

test("adding a number to all logits of a text changes nothing", (t) => {
	const logits = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 3, maxLength: 3 });
	fc.assert(
		fc.property(logits, fc.double({ min: -50, max: 50, noNaN: true }), fc.nat(2), (row, shift, label) => {
			const [a, b] = [row, row.map((x) => x + shift)].map((one) => crossEntropy(one, [label], 3));
			return Math.abs((a ?? 0) - (b ?? 1)) < 1e-9;
		}),
	);
	t.pass();
});
