import test from "ava";
import fc from "fast-check";
import { GPT2_SIZES } from "../../../shared/model/random-model.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import { areRows, partLength, rowsOfTexts } from "../../../shared/updates/embedding-rows.ts";
import {
	denseViews,
	factorViews,
	formOfPart,
	gradientForm,
	gradientLength,
	tableSize,
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

test("GPT-2 small, all: 8 texts of 30 tokens have 263 rows of embeddings instead of 51,281", (t) => {
	const form = gradientForm({ ...SPEC, trainable: "TRAINABLE_ALL" }, small, 8);
	t.deepEqual(form.table, { tokens: 50_257, count: 51_281, width: 768 });
	const texts = Array.from({ length: 8 }, (_, text) => ({
		tokens: Uint32Array.from({ length: 30 }, (_, i) => (i === 0 ? 50_256 : text * 30 + i)),
	}));
	const rows = 8 * 29 + 1 + 30;
	t.is(partLength(form, texts), form.denseSize + 8 * form.factorSize + rows * 768);
	// All other parameters: 12 blocks, of which the last one is sent as factors, the final norm and the head.
	t.is(form.trainedSize - tableSize(form), 12 * 7_087_872 + 2 * 768 + 2 * 768 + 2);
	t.is(rows, 263);
});

test("the rows of texts are those of their tokens and positions, in ascending order, each once", (t) => {
	const form = gradientForm({ ...SPEC, trainable: "TRAINABLE_ALL" }, { ...small, vocab_size: 9, n_positions: 6 }, 8);
	const texts = fc.array(fc.array(fc.nat(8), { minLength: 1, maxLength: 6 }).map((tokens) => ({ tokens })));
	fc.assert(
		fc.property(texts, (texts) => {
			const rows = [...rowsOfTexts(form, texts)];
			t.true(areRows(form, rows));
			const used = texts.flatMap(({ tokens }) => tokens.flatMap((token, position) => [token, 9 + position]));
			t.deepEqual(rows.toSorted(), [...new Set(used)].toSorted());
		}),
	);
	t.deepEqual(rowsOfTexts(gradientForm(SPEC, small, 8), [{ tokens: [1] }]), new Uint32Array());
});

test("blocks, dense ranges and tables cover each trained number once", (t) => {
	for (const [trainable, texts] of [
		["TRAINABLE_ALL", 4],
		["TRAINABLE_LAST_BLOCK", 8],
		["TRAINABLE_LAST_TWO_BLOCKS", 100],
		["TRAINABLE_HEAD", 1],
	] as const) {
		const form = gradientForm({ ...SPEC, trainable }, NARROW, texts);
		const times = new Uint8Array(form.trainedSize);
		addOne(times.subarray(0, tableSize(form)));
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
