import test from "ava";
import fc from "fast-check";
import { mcnemarTest } from "../../../coordinator/metrics/mcnemar.ts";

// scipy 1.17.1: binomtest(min(b, c), b + c, 0.5).pvalue
const SCIPY: readonly (readonly [number, number, number])[] = [
	[0, 0, 1.0],
	[0, 1, 1.0],
	[1, 0, 1.0],
	[0, 6, 0.03125],
	[5, 15, 0.04138946533203125],
	[10, 10, 1.0],
	[59, 6, 4.964650327128616e-12],
	[121, 59, 4.4344492637551645e-6],
	[3000, 3100, 0.2049495446515585],
	[0, 1200, 0.0],
];

test("McNemar's test agrees with scipy's exact binomial test", (t) => {
	for (const [first, second, expected] of SCIPY) {
		const found = mcnemarTest(first, second);
		t.true(Math.abs(found - expected) <= 1e-9 * expected, `${first} ${second}: ${found}, expected ${expected}`);
	}
});

test("it is symmetric, 1 for equal counts, and smaller the more uneven the counts are", (t) => {
	const counts = fc.nat({ max: 5000 });
	fc.assert(
		fc.property(counts, counts, (a, b) => {
			t.is(mcnemarTest(a, b), mcnemarTest(b, a));
			t.is(mcnemarTest(a, a), 1);
			if (a < b) t.true(mcnemarTest(a, b + 1) <= mcnemarTest(a, b));
		}),
	);
});
