import test from "ava";
import fc from "fast-check";
import { addWeighted } from "../../../shared/vectors/weighted-sum.ts";

const { fround } = Math;
const numbers = (length: number) =>
	fc.array(fc.float({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: length, maxLength: length });

test("addends are summed in order, with each operation rounded to float32", (t) => {
	const sums = fc
		.nat(40)
		.chain((length) =>
			fc.array(fc.tuple(numbers(length), fc.double({ min: 0, max: 1, noNaN: true })), { minLength: 1 }),
		);
	fc.assert(
		fc.property(sums, (addends) => {
			const length = addends[0]?.[0].length ?? 0;
			const total = new Float32Array(length).fill(Number.NaN);
			let expected = new Array<number>(length).fill(0);
			for (const [i, [addend, weight]] of addends.entries()) {
				addWeighted(total, Float32Array.from(addend), weight, i === 0);
				expected = expected.map((sum, at) => fround(sum + fround(fround(weight) * (addend[at] as number))));
			}
			t.deepEqual([...total], expected);
		}),
	);
});

test("the sum of a single addend of weight 1 is the addend", (t) => {
	const gradient = Float32Array.from({ length: 2051 }, (_, i) => Math.fround(1 / (i + 1)));
	const total = new Float32Array(2051).fill(7);
	addWeighted(total, gradient, 1, true);
	t.deepEqual(total, gradient);
});
