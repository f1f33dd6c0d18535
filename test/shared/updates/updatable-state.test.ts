import test from "ava";
import fc from "fast-check";
import { parameterLayout, parameterViews } from "../../../shared/model/parameter-layout.ts";
import { GPT2_SIZES } from "../../../shared/model/random-model.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import { CombinedGradient } from "../../../shared/updates/combine.ts";
import { type GradientForm, gradientForm, gradientLength } from "../../../shared/updates/gradient-form.ts";
import { UpdatableState } from "../../../shared/updates/updatable-state.ts";
import { adamWScalars, stepAdamW } from "../../../shared/vectors/adamw.ts";

const SPEC = plainTail("TRAINABLE_LAST_BLOCK", 3);
const CONFIG = { ...GPT2_SIZES.small, n_layer: 2, n_embd: 12, n_head: 3 };
const round = Math.fround;

/** Numbers of both signs, different for each seed. */
function numbers(length: number, seed: number): Float32Array {
	return Float32Array.from({ length }, (_, i) => Math.sin(seed + i * 1.37) * 2 ** ((i % 7) - 3));
}

interface Part {
	readonly gradient: Float32Array;
	readonly texts: number;
	readonly weight: number;
}

/** Multiplies out and sums in the plan's order, one rounding per operation, straight from the definition of the form. */
function naiveGradient({ dense, factors, trainedSize, denseSize }: GradientForm, parts: readonly Part[]): Float32Array {
	const sum = new Float32Array(trainedSize);
	let start = 0;
	for (const { offset, size } of dense) {
		for (let i = 0; i < size; i++)
			for (const { gradient, weight } of parts)
				sum[offset + i] = round((sum[offset + i] as number) + round((gradient[start + i] as number) * round(weight)));
		start += size;
	}
	let perText = 0;
	for (const { heads, rows, columns, offset, stride } of factors) {
		for (const { gradient, texts, weight } of parts) {
			const left = denseSize + texts * perText;
			const right = left + texts * heads * rows;
			for (let text = 0; text < texts; text++)
				for (let head = 0; head < heads; head++)
					for (let i = 0; i < rows; i++)
						for (let j = 0; j < columns; j++) {
							const l = round((gradient[left + (text * heads + head) * rows + i] as number) * weight);
							const r = gradient[right + (text * heads + head) * columns + j] as number;
							const at = offset + i * stride + head * columns + j;
							sum[at] = round((sum[at] as number) + round(l * r));
						}
		}
		perText += heads * (rows + columns);
	}
	return sum;
}

for (const factorTexts of [4, 0]) {
	const form = gradientForm(SPEC, CONFIG, factorTexts);
	const name = factorTexts > 0 ? "factors" : "dense ranges";

	test(`${name}: a step has the bits of a naive sum in the order of the parts, followed by AdamW`, (t) => {
		const partTexts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
		fc.assert(
			fc.property(partTexts, fc.integer({ min: 1, max: 2 }), fc.nat(1000), (counts, threads, seed) => {
				const texts = counts.reduce((sum, count) => sum + count, 0);
				const parts = counts.map((count, i) => ({
					gradient: numbers(gradientLength(form, count), seed + i),
					texts: count,
					weight: count / texts,
				}));
				const size = form.trainedSize + 5;
				const state = new UpdatableState(form, size, texts);
				const start = numbers(size, seed + 100);
				state.parameters.set(start);
				const length = gradientLength(form, texts);
				const sum = new CombinedGradient(form, texts, state.update.subarray(0, length));
				for (const part of parts) sum.add(part, part.weight);
				const scalars = adamWScalars(3, { lr: 0.01, weightDecay: 0.1 });
				const { gradient } = sum;
				t.true(state.apply({ version: 3, texts, scalars, gradient }, threads));

				const expected = {
					parameters: start.slice(),
					firstMoment: new Float32Array(form.trainedSize),
					secondMoment: new Float32Array(form.trainedSize),
				};
				stepAdamW(expected.parameters, naiveGradient(form, parts), expected, scalars);
				t.deepEqual(state.parameters, expected.parameters);
				t.deepEqual(state.firstMoment, expected.firstMoment);
				t.deepEqual(state.secondMoment, expected.secondMoment);
			}),
			{ numRuns: 30 },
		);
	});
}

for (const trainable of ["TRAINABLE_LAST_BLOCK", "TRAINABLE_ALL", "TRAINABLE_LORA_ONLY"] as const) {
	test(`${trainable}: if only matrices decay, biases and norms get the bits of a step without decay`, (t) => {
		const spec = { ...SPEC, trainable, loraRank: 2 };
		const layout = parameterLayout(spec, CONFIG);
		const form = gradientForm(spec, CONFIG, 4);
		const gradient = numbers(gradientLength(form, 4), 1);
		const stepped = (weightDecay: number, decay: "all" | "matrices") => {
			const state = new UpdatableState(form, layout.size, 4);
			state.parameters.set(numbers(layout.size, 2));
			const scalars = adamWScalars(1, { lr: 0.01, weightDecay, decay });
			t.true(state.apply({ version: 1, texts: 4, scalars, gradient }, 2));
			return { views: parameterViews(layout, state.parameters), firstMoment: state.firstMoment };
		};
		const [some, all, none] = [stepped(0.1, "matrices"), stepped(0.1, "all"), stepped(0, "all")];
		t.deepEqual(some.firstMoment, all.firstMoment);
		for (const { name, shape, offset } of layout.entries) {
			const isDecayed = shape.length > 1 && offset < layout.trainedSize;
			t.deepEqual(some.views.get(name), (isDecayed ? all : none).views.get(name), name);
			if (offset < layout.trainedSize) t.notDeepEqual(all.views.get(name), none.views.get(name), name);
		}
	});
}

test("an update in an ordinary array has the same effect as one in the state's memory", (t) => {
	const form = gradientForm(SPEC, CONFIG, 4);
	const gradient = numbers(gradientLength(form, 4), 1);
	const scalars = adamWScalars(1, { lr: 0.01, weightDecay: 0.1 });
	const [one, other] = [0, 0].map(() => new UpdatableState(form, form.trainedSize, 4)) as [
		UpdatableState,
		UpdatableState,
	];
	one.apply({ version: 1, texts: 4, scalars, gradient }, 1);
	other.update.set(gradient);
	other.apply({ version: 1, texts: 4, scalars, gradient: other.update }, 1);
	t.deepEqual(one.parameters, other.parameters);
});

test("a product that overflows is reported", (t) => {
	const form = gradientForm(SPEC, CONFIG, 1);
	const gradient = new Float32Array(gradientLength(form, 1)).fill(3e38);
	const state = new UpdatableState(form, form.trainedSize, 1);
	t.false(state.apply({ version: 1, texts: 1, scalars: adamWScalars(1, { lr: 1, weightDecay: 0 }), gradient }, 1));
});
