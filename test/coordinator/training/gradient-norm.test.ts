import test from "ava";
import fc from "fast-check";
import { clipScale, gradientNorm } from "../../../coordinator/training/gradient-norm.ts";
import { GPT2_SIZES } from "../../../shared/model/random-model.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import { gradientForm } from "../../../shared/updates/gradient-form.ts";
import { allocateGradient, multiplyOut } from "../../multiply-out.ts";

const SPEC = plainTail("TRAINABLE_LAST_BLOCK", 3);
const CONFIG = { ...GPT2_SIZES.small, n_layer: 2, n_embd: 12, n_head: 3, vocab_size: 9, n_positions: 4 };
/** A text of tokens that occur several times. */
const tokens = fc.uint32Array({ min: 0, max: 8, minLength: 1, maxLength: 4 }).map((tokens) => ({ tokens }));

test("the norm of factors, dense ranges and rows is that of the whole gradient, multiplied out", (t) => {
	const number = fc.float({ min: -8, max: 8, noNaN: true });
	fc.assert(
		fc.property(
			fc.constantFrom("TRAINABLE_LAST_BLOCK", "TRAINABLE_ALL"),
			fc.constantFrom(0, 4),
			fc.array(tokens, { minLength: 1, maxLength: 5 }),
			fc.array(number, { minLength: 7 }),
			(trainable, by, inputs, of) => {
				const form = gradientForm({ ...SPEC, trainable }, CONFIG, by);
				const own = allocateGradient(form, inputs);
				for (const i of own.gradient.keys()) own.gradient[i] = of[i % of.length] ?? 0;
				const whole = multiplyOut(form, own);
				const expected = Math.sqrt(whole.reduce((sum, x) => sum + x * x, 0));
				t.true(Math.abs(gradientNorm(form, own) - expected) <= 1e-6 * (1 + expected));
			},
		),
	);
});

test("products that cancel each other out have the norm 0", (t) => {
	const form = gradientForm({ ...SPEC, trainable: "TRAINABLE_HEAD", classes: 8 }, CONFIG, 4);
	t.is(form.factors.length, 1);
	const left = Float32Array.from({ length: 8 }, (_, i) => 0.1 + i);
	const right = Float32Array.from({ length: 12 }, (_, i) => 1 / (i + 3));
	const gradient = Float32Array.of(...new Float32Array(8), ...left, ...left.map((x) => -x), ...right, ...right);
	t.is(gradientNorm(form, { gradient, texts: 2 }), 0);
});

test("a gradient is scaled down to the limit, and a shorter one isn't changed", (t) => {
	const form = gradientForm({ ...SPEC, trainable: "TRAINABLE_HEAD", classes: 2 }, CONFIG, 0);
	const gradient = new Float32Array(form.trainedSize);
	const ofText = { gradient, texts: 1 };
	gradient.set([3, 4]);
	t.is(clipScale(2, form, ofText), 2 / (5 + 1e-6));
	t.is(clipScale(5.1, form, ofText), 1);
	t.is(clipScale(undefined, form, ofText), 1);
	gradient[1] = Number.NaN;
	t.is(clipScale(2, form, ofText), Number.NaN);
	gradient[1] = Number.POSITIVE_INFINITY;
	t.is(clipScale(2, form, ofText), 0);
});
