import { join } from "node:path";
import test from "ava";
import { assertWarmupFits, learningRate } from "../../../coordinator/training/learning-rate.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { readGoldenSet } from "../../golden/golden-format.ts";

const { schedules } = await readGoldenSet(join(import.meta.dirname, "../../golden"));

for (const { schedule, warmup, steps, factors } of schedules) {
	test(`${schedule} with a warm-up of ${warmup} steps: each step has transformers' learning rate`, (t) => {
		for (const [index, factor] of factors.entries()) {
			const rate = learningRate(index + 1, steps, { lr: 0.003, schedule, warmup });
			t.true(Math.abs(rate - 0.003 * factor) <= 1e-18, `step ${index + 1}: ${rate}`);
		}
	});
}

test("a warm-up below 1 is a share of all steps, rounded up as in transformers", (t) => {
	const rates = (warmup: number) =>
		Array.from({ length: 11 }, (_, i) => learningRate(i + 1, 11, { lr: 1, schedule: "linear", warmup }));
	t.deepEqual(rates(0.3), rates(4));
	t.deepEqual(rates(0.09), rates(1));
});

test("a warm-up that doesn't end before the run is refused", (t) => {
	assertWarmupFits(99, 100);
	assertWarmupFits(0, 1);
	for (const [warmup, steps] of [
		[100, 100],
		[0.95, 10],
	] as const) {
		t.is(
			t.throws(() => assertWarmupFits(warmup, steps), { instanceOf: TailtuneError, code: "usage" })?.message,
			`--warmup: found ${warmup}, expected less than the ${steps} steps of the run`,
		);
	}
});
