import test from "ava";
import { rowNumbers, rowsOfTexts } from "../../../shared/updates/embedding-rows.ts";
import { denseViews, factorViews, type GradientForm, gradientLength } from "../../../shared/updates/gradient-form.ts";
import type { Tail, TailInput } from "../../../worker/engine/engine.ts";
import { splitWhenFull } from "../../../worker/engine/split-when-full.ts";
import { allocateGradient } from "../../multiply-out.ts";
import { info } from "../run/fake-engines.ts";

/** A tail whose logit and gradient of a text are its first target, on a device with memory for `capacity` texts. */
function tailWithCapacity(capacity: number, error = "OOM when allocating tensor with shape[8,12]"): Tail {
	const logits = async (inputs: readonly TailInput[]) => {
		if (inputs.length > capacity) throw new Error(error);
		return Float32Array.from(inputs, ({ targets }) => targets[0] ?? 0);
	};
	return {
		info,
		logits,
		async load() {},
		async gradient(inputs, form, gradient) {
			const values = await logits(inputs);
			for (const range of denseViews(form, gradient).values())
				range.fill(values.reduce((sum, value) => sum + value, 0) / inputs.length);
			const { width = 0 } = form.table ?? {};
			for (const [i, row] of rowsOfTexts(form, inputs).entries()) {
				const users = inputs.flatMap(({ tokens }, text) => (tokens.includes(row) ? (values[text] ?? 0) : []));
				const sum = users.reduce((sum, value) => sum + value, 0) / inputs.length;
				rowNumbers(form, gradient, inputs.length).fill(sum, i * width, (i + 1) * width);
			}
			for (const { block, left, right } of factorViews(form, gradient, inputs.length)) {
				for (const [i] of left.entries()) left[i] = (values[textOf(i, block.heads * block.rows)] ?? 0) / inputs.length;
				for (const [i] of right.entries()) right[i] = 1 + textOf(i, block.heads * block.columns);
			}
			return values;
		},
		async dispose() {},
	};
}

const textOf = (index: number, numbersPerText: number) => Math.floor(index / numbersPerText);
const DENSE: GradientForm = {
	dense: [{ name: "w", offset: 0, size: 2 }],
	factors: [],
	decayGroups: [],
	trainedSize: 2,
	denseSize: 2,
	factorSize: 0,
};
const size = { offset: 2, stride: 4, rows: 1 };
const FACTORED: GradientForm = {
	...DENSE,
	factors: [
		{ name: "a", index: 0, heads: 1, columns: 4, ...size },
		{ name: "b", index: 1, heads: 2, columns: 2, ...size, offset: 6 },
	],
	trainedSize: 10,
	factorSize: 11,
};

const inputs = [3, 1, 4, 1, 6].map(
	(label): TailInput => ({
		hidden: new Float32Array(0),
		tokens: Uint32Array.of(label),
		poolFrom: 0,
		poolCount: 1,
		targets: Float32Array.of(label),
	}),
);

test("a batch too large for the device is split, gives the same mean gradient, and is reported once", async (t) => {
	for (const capacity of [1, 2, 3]) {
		const reported: string[] = [];
		const tail = splitWhenFull(tailWithCapacity(capacity), (line) => reported.push(line));
		const gradient = new Float32Array(2).fill(Number.NaN);
		t.deepEqual([...(await tail.gradient(inputs, DENSE, gradient))], [3, 1, 4, 1, 6]);
		t.true(gradient.every((value) => Math.abs(value - 3) < 1e-6));
		t.deepEqual([...(await tail.logits(inputs))], [3, 1, 4, 1, 6]);
		t.deepEqual(reported, ["paper: not enough memory for 5 texts at once: split in halves"]);
	}
});

test("the rows of a split batch are those of its texts, with the sums of the texts that use them", async (t) => {
	const form = { ...DENSE, table: { tokens: 10, count: 12, width: 2 } };
	for (const capacity of [1, 2, 3]) {
		const { gradient, rows } = allocateGradient(form, inputs);
		t.deepEqual(rows, Uint32Array.of(1, 3, 4, 6, 10));
		await splitWhenFull(tailWithCapacity(capacity), () => {}).gradient(inputs, form, gradient);
		const expected = [3, 3, 2, 2, 3, 3, 4, 4, 6, 6, 0, 0].map((sum, i) => (i < 2 ? sum : sum / 5));
		t.true(gradient.every((value, i) => Math.abs(value - (expected[i] as number)) < 1e-6));
	}
});

test("the factors of a split batch are those of its texts, in their order, weighted like the mean", async (t) => {
	for (const capacity of [1, 2, 3, 4]) {
		const gradient = new Float32Array(gradientLength(FACTORED, 5)).fill(Number.NaN);
		await splitWhenFull(tailWithCapacity(capacity), () => {}).gradient(inputs, FACTORED, gradient);
		const views = factorViews(FACTORED, gradient, 5);
		t.true(
			denseViews(FACTORED, gradient)
				.get("w")
				?.every((value) => Math.abs(value - 3) < 1e-6),
		);
		for (const { block, left, right } of views) {
			for (const [i, value] of left.entries())
				t.true(Math.abs(value - ([3, 1, 4, 1, 6][textOf(i, block.heads)] as number) / 5) < 1e-6);
			const places = [1, 2, 3, 4, 5].map((_, text) => right[text * block.heads * block.columns]);
			// The fake tail numbers the texts of each call.
			t.deepEqual(places, { 1: [1, 1, 1, 1, 1], 2: [1, 2, 1, 1, 2], 3: [1, 2, 3, 1, 2], 4: [1, 2, 3, 1, 2] }[capacity]);
		}
	}
});

test("the error texts of all libraries for a full device are recognised", async (t) => {
	for (const words of [
		"OOM when allocating tensor with shape[8,12]",
		"RESOURCE_EXHAUSTED: failed copying input tensor",
		"CUDA failure 2: out of memory",
		"BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 4096",
	]) {
		t.is((await splitWhenFull(tailWithCapacity(2, words), () => {}).logits(inputs)).length, 5);
	}
});

test("a single text too large for the device is an error with a hint", async (t) => {
	const tail = splitWhenFull(tailWithCapacity(0), () => {});
	await t.throwsAsync(tail.logits(inputs), {
		code: "engine",
		message: /^paper: not enough memory for a single text; expected /,
	});
});

test("any other error is thrown unchanged", async (t) => {
	const tail = splitWhenFull(tailWithCapacity(0, "wrong shape"), () => t.fail());
	await t.throwsAsync(tail.gradient(inputs, DENSE, new Float32Array(2)), { message: "wrong shape" });
});
