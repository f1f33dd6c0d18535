import test from "ava";
import { GPT2_SIZES } from "../../../shared/model/random-model.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import {
	denseViews,
	factorViews,
	formOfPart,
	gradientForm,
	gradientLength,
} from "../../../shared/updates/gradient-form.ts";

const SPEC = plainTail("TRAINABLE_LAST_BLOCK", 2);
const { small } = GPT2_SIZES;
const NARROW = { ...small, n_embd: 24, n_head: 3 };

test("GPT-2 small, last block: 30,720 numbers of factors per text, and the vectors", (t) => {
	const form = gradientForm(SPEC, small, 8);
	t.is(form.trainedSize, 7_090_946);
	// q, k and v of 12 heads, attention's projection, both matrices of the MLP
	const perText = 2 * 768 + 2 * (12 * 768 + 768) + 2 * 768 + 2 * (768 + 3072);
	t.is(perText, 30_720);
	t.is(form.factorSize, perText);
	// norms and biases, and the head, which is smaller as it is
	t.is(form.denseSize, 6 * 768 + 3 * 768 + 768 + 3072 + 768 + 2 * 768 + 2);
	t.is(gradientLength(form, 8), form.denseSize + 8 * perText);
});

test("a weight is dense as soon as its factors aren't smaller", (t) => {
	const isFactored = (texts: number, suffix: string) =>
		gradientForm(SPEC, small, texts).factors.some(({ name }) => name.endsWith(suffix));
	// numbers of the weight divided by numbers of its factors per text
	const limits = { "attn.c_attn.weight": 82, "attn.c_proj.weight": 383, "mlp.c_fc.weight": 614 };
	for (const [suffix, most] of Object.entries(limits)) {
		t.true(isFactored(most, suffix), suffix);
		t.false(isFactored(most + 1, suffix), suffix);
	}
});

test("parts of up to 16 texts have factors of each weight that is larger, whatever the texts of their step", (t) => {
	const ofPart = (step: number, texts: number) => formOfPart(gradientForm(SPEC, small, step), texts);
	t.deepEqual(ofPart(8, 4), gradientForm(SPEC, small, 8));
	for (const step of [100, 300, 1000]) {
		for (const texts of [1, 16]) t.deepEqual(ofPart(step, texts).factors, gradientForm(SPEC, small, 8).factors);
		t.deepEqual(ofPart(step, 17), gradientForm(SPEC, small, step));
	}
	const { factors } = gradientForm({ ...SPEC, trainable: "TRAINABLE_HEAD", classes: 17 }, NARROW, 8);
	// A narrow head is smaller than the factors of 16 texts.
	t.is(factors.length, 1);
	const head = gradientForm({ ...SPEC, trainable: "TRAINABLE_HEAD", classes: 17 }, NARROW, 100);
	t.is(formOfPart(head, 8), head);
	t.deepEqual(gradientForm(SPEC, small, 0).ofFewTexts, undefined);
});

test("a head of many classes is sent as factors", (t) => {
	const form = gradientForm({ ...SPEC, trainable: "TRAINABLE_HEAD", classes: 77 }, small, 8);
	t.deepEqual(
		form.factors.map(({ name, rows, columns }) => [name, rows, columns]),
		[["score.weight", 77, 768]],
	);
});

test("LoRA, and texts of which the head reads several rows, are dense", (t) => {
	t.deepEqual(gradientForm({ ...SPEC, trainable: "TRAINABLE_LORA", loraRank: 4 }, small, 8).factors, []);
	t.deepEqual(gradientForm(SPEC, small, 0).factors, []);
});

test("of two trained blocks the last one is sent as factors", (t) => {
	const { factors } = gradientForm({ ...SPEC, trainable: "TRAINABLE_LAST_TWO_BLOCKS" }, small, 8);
	t.deepEqual([...new Set(factors.map(({ name }) => name.slice(0, 5)))], ["h.11."]);
});

test("blocks and dense ranges cover each trained number once", (t) => {
	for (const [trainable, texts] of [
		["TRAINABLE_LAST_BLOCK", 8],
		["TRAINABLE_LAST_TWO_BLOCKS", 100],
		["TRAINABLE_HEAD", 1],
	] as const) {
		const form = gradientForm({ ...SPEC, trainable }, NARROW, texts);
		const times = new Uint8Array(form.trainedSize);
		for (const { offset, size } of form.dense) addOne(times.subarray(offset, offset + size));
		for (const { heads, rows, columns, offset, stride } of form.factors)
			for (let row = 0; row < rows; row++) {
				const from = offset + row * stride;
				addOne(times.subarray(from, from + heads * columns));
			}
		t.true(times.every((count) => count === 1));
	}
});

test("views follow each other without gaps", (t) => {
	const form = gradientForm(SPEC, NARROW, 4);
	const gradient = new Float32Array(gradientLength(form, 4));
	for (const view of denseViews(form, gradient).values()) addOne(view);
	for (const { left, right } of factorViews(form, gradient, 4)) {
		addOne(left);
		addOne(right);
	}
	t.true(gradient.every((count) => count === 1));
});

function addOne(numbers: Uint8Array | Float32Array): void {
	for (const [i, number] of numbers.entries()) numbers[i] = number + 1;
}
