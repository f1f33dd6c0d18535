import test from "ava";
import fc from "fast-check";
import { parameterLayout, parameterViews } from "../../../shared/model/parameter-layout.ts";
import { GPT2_SIZES } from "../../../shared/model/random-model.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import { partLength, rowsOfTexts } from "../../../shared/updates/embedding-rows.ts";
import {
	type FactorBlock,
	formOfPart,
	type GradientForm,
	gradientForm,
	gradientLength,
} from "../../../shared/updates/gradient-form.ts";
import { UpdatableState } from "../../../shared/updates/updatable-state.ts";
import { adamWScalars, stepAdamW } from "../../../shared/vectors/adamw.ts";

const SPEC = plainTail("TRAINABLE_LAST_BLOCK", 3);
const CONFIG = { ...GPT2_SIZES.small, n_layer: 2, n_embd: 12, n_head: 3, vocab_size: 9, n_positions: 4 };
const round = Math.fround;

/** Numbers of both signs, different for each seed. */
function numbers(length: number, seed: number): Float32Array {
	return Float32Array.from({ length }, (_, i) => Math.sin(seed + i * 1.37) * 2 ** ((i % 7) - 3));
}

interface Part {
	readonly form: GradientForm;
	readonly gradient: Float32Array;
	readonly texts: number;
	readonly rows: Uint32Array;
	readonly weight: number;
}

/** Index of a block's left factors in the gradient of a part. */
function startOf({ form, texts }: Part, block: FactorBlock): number {
	const before = form.factors.slice(
		0,
		form.factors.findIndex(({ offset }) => offset === block.offset),
	);
	return before.reduce((sum, { heads, rows, columns }) => sum + texts * heads * (rows + columns), form.denseSize);
}

/** A part with these texts of a step. */
function partOf(form: GradientForm, own: readonly { readonly tokens: number[] }[], texts: number, seed: number): Part {
	const gradient = numbers(partLength(form, own), seed);
	const rows = rowsOfTexts(form, own);
	return { form: formOfPart(form, own.length), gradient, texts: own.length, rows, weight: own.length / texts };
}

/** Multiplies out and sums in the plan's order, one rounding per operation, straight from the definition of the form. */
function naiveGradient(form: GradientForm, parts: readonly Part[]): Float32Array {
	const { dense, factors, trainedSize } = form;
	const sum = new Float32Array(trainedSize);
	// Parts with more factors are multiplied out first, without their weight.
	const alone = parts.map((part) => (part.form === form ? part : naiveGradient(part.form, [{ ...part, weight: 1 }])));
	let start = 0;
	for (const { offset, size } of dense) {
		for (let i = 0; i < size; i++)
			for (const [p, { gradient, weight }] of parts.entries()) {
				const own = alone[p];
				const number = (own instanceof Float32Array ? own[offset + i] : gradient[start + i]) as number;
				sum[offset + i] = round((sum[offset + i] as number) + round(number * round(weight)));
			}
		start += size;
	}
	const { width = 0 } = form.table ?? {};
	for (const { gradient, rows, weight } of parts)
		for (const [i, row] of rows.entries())
			for (let column = 0; column < width; column++) {
				const number = gradient.at((i - rows.length) * width + column) as number;
				const at = row * width + column;
				sum[at] = round((sum[at] as number) + round(number * round(weight)));
			}
	for (const block of factors) {
		const { heads, rows, columns, offset, stride } = block;
		for (const part of parts) {
			const { gradient, texts, weight } = part;
			const left = startOf(part, block);
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
	}
	return sum;
}

const ALL = { ...SPEC, trainable: "TRAINABLE_ALL" } as const;

/** Tokens of a text, some of them several times. */
const tokensOfText = fc.array(fc.nat(8), { minLength: 1, maxLength: 4 }).map((tokens) => ({ tokens }));

/** Wide enough that weights may have factors in parts of few texts only. */
const WIDER = { ...CONFIG, n_layer: 1, n_embd: 72 };

for (const [name, form, numRuns, mostTexts] of [
	["factors", gradientForm(SPEC, CONFIG, 4), 30, 4],
	["dense ranges", gradientForm(SPEC, CONFIG, 0), 30, 4],
	["parts with more factors", gradientForm(SPEC, WIDER, 40), 4, 20],
	["dense ranges, parts with factors", gradientForm(SPEC, WIDER, 60), 4, 20],
	["rows and factors", gradientForm(ALL, CONFIG, 4), 20, 4],
	["rows and dense ranges", gradientForm(ALL, CONFIG, 0), 20, 4],
	["rows, parts with more factors", gradientForm(ALL, WIDER, 40), 4, 20],
	["rows and dense ranges, parts with factors", gradientForm(ALL, WIDER, 60), 4, 20],
] as const) {
	test(`${name}: two steps have the bits of naive sums in the order of the parts, followed by AdamW`, (t) => {
		const partTexts = fc.array(fc.array(tokensOfText, { minLength: 1, maxLength: mostTexts }), {
			minLength: 1,
			maxLength: 4,
		});
		const steps = fc.tuple(partTexts, partTexts);
		fc.assert(
			fc.property(steps, fc.integer({ min: 1, max: 2 }), fc.nat(1000), (steps, threads, seed) => {
				const size = form.trainedSize + 5;
				const state = new UpdatableState(form, size, 4 * mostTexts);
				const start = numbers(size, seed + 100);
				state.parameters.set(start);
				const expected = {
					parameters: start.slice(),
					firstMoment: new Float32Array(form.trainedSize),
					secondMoment: new Float32Array(form.trainedSize),
				};
				for (const [done, step] of steps.entries()) {
					const texts = step.flat().length;
					const rows = rowsOfTexts(form, step.flat());
					const sum = state.combine(texts, threads, rows);
					const parts = step.map((own, i) => partOf(form, own, texts, seed + 10 * done + i));
					for (const part of parts) sum.add(part, part.weight, part.form);
					const scalars = adamWScalars(done + 1, { lr: 0.01, weightDecay: 0.1 });
					const { gradient } = sum;
					t.true(state.apply({ version: done + 1, texts, rows, scalars, gradient }, threads));
					stepAdamW(expected.parameters, naiveGradient(form, parts), expected, scalars);
				}
				t.deepEqual(state.parameters, expected.parameters);
				t.deepEqual(state.firstMoment, expected.firstMoment);
				t.deepEqual(state.secondMoment, expected.secondMoment);
			}),
			{ numRuns },
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
