import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import fc from "fast-check";
import { readInitialParameters } from "../../../coordinator/base-model/initial-parameters.ts";
import { exportClassifier } from "../../../coordinator/export/export-classifier.ts";
import { foldBias } from "../../../coordinator/export/fold-bias.ts";
import { mergeTail } from "../../../coordinator/export/merge-tail.ts";
import { openModel } from "../../../shared/model/open-model.ts";
import { baseShapes, parameterLayout, parameterViews } from "../../../shared/model/parameter-layout.ts";
import { readSafetensorsFile } from "../../../shared/model/safetensors.ts";
import { TRAINABLE_BY_NAME, type TrainableName } from "../../../shared/model/tail-spec.ts";
import { gpt2 } from "../../gpt2-tokenizer.ts";
import { TINY, tinyModel } from "../../shared/model/tiny-model.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const WIDTH = TINY.n_embd;
const specOf = (trainable: TrainableName, classes = 2) => ({
	trainable: TRAINABLE_BY_NAME[trainable],
	classes,
	causal: true,
	loraRank: 3,
	loraScale: 1.5,
	loss: null,
});

/** Makes a tiny model and a tail in which every number was changed. */
async function tuned(folder: string, trainable: TrainableName, classes = 2) {
	const model = await openModel(folder);
	const spec = specOf(trainable, classes);
	const parameters = (await readInitialParameters(model, spec, 5)).map((value, i) => value + 0.1 * Math.sin(i * 1.7));
	return { model, spec, parameters, tail: parameterViews(parameterLayout(spec, TINY), parameters) };
}

/** Computes x W, for W [in, out] that starts at a column of rows of length `stride`. */
function product(x: number[], weight: Float32Array, outputs: number, column = 0, stride = outputs): number[] {
	return Array.from({ length: outputs }, (_, output) =>
		x.reduce((sum, value, input) => sum + value * (weight[input * stride + column + output] as number), 0),
	);
}

function near(a: number[], b: number[], tolerance: number): boolean {
	return a.length === b.length && a.every((value, i) => Math.abs(value - (b[i] as number)) <= tolerance);
}

test("folds a bias so that W (x + shift) = W x + bias", (t) => {
	const number = fc.float({ min: -1, max: 1, noNaN: true });
	const head = fc.integer({ min: 1, max: 4 }).chain((classes) =>
		fc.record({
			weight: fc.array(number, { minLength: classes * WIDTH, maxLength: classes * WIDTH }),
			bias: fc.array(number, { minLength: classes, maxLength: classes }),
			x: fc.array(number, { minLength: WIDTH, maxLength: WIDTH }),
		}),
	);
	fc.assert(
		fc.property(head, ({ weight, bias, x }) => {
			// A large diagonal keeps the rows independent, like those of a trained head.
			const matrix = Float32Array.from(weight, (value, i) => value + (i % (WIDTH + 1) === 0 ? 5 : 0));
			const shift = foldBias(matrix, Float32Array.from(bias));
			const rows = bias.map((_, row) => Array.from(matrix.subarray(row * WIDTH, (row + 1) * WIDTH)));
			const logit = (row: number[], input: number[]) => row.reduce((sum, w, i) => sum + w * (input[i] as number), 0);
			const shifted = x.map((value, i) => value + (shift[i] as number));
			const expected = rows.map((row, i) => logit(row, x) + (bias[i] as number));
			return near(
				rows.map((row) => logit(row, shifted)),
				expected,
				1e-6,
			);
		}),
		{ numRuns: 300, seed: 1 },
	);
	t.pass();
});

test("folds with the smallest shift: it is a combination of the head's rows", (t) => {
	t.deepEqual(
		foldBias(new Float32Array([0, 2, 0, 0, 0, 4]), new Float32Array([3, 2])),
		new Float32Array([0, 1.5, 0.5]),
	);
});

test("folds opposite rows if their biases are opposite too, and refuses them otherwise", (t) => {
	const opposite = new Float32Array([3, 4, -3, -4]);
	const shift = foldBias(opposite, new Float32Array([5, -5]));
	t.true(near([...shift], [0.6, 0.8], 1e-6));
	t.throws(() => foldBias(opposite, new Float32Array([5, 0])), {
		code: "model",
		message: /score\.weight: .*dependent/,
	});
	t.throws(() => foldBias(new Float32Array(4), new Float32Array([1, 0])), { code: "model" });
	t.deepEqual(foldBias(new Float32Array(4), new Float32Array(2)), new Float32Array(2));
});

const LINEARS: [layer: string, parts: string[], inputs: number, outputs: number][] = [
	["h.1.attn.c_attn", ["h.1.attn.c_attn.q", "h.1.attn.c_attn.k", "h.1.attn.c_attn.v"], WIDTH, WIDTH],
	["h.0.attn.c_proj", ["h.0.attn.c_proj"], WIDTH, WIDTH],
	["h.1.mlp.c_fc", ["h.1.mlp.c_fc"], WIDTH, 4 * WIDTH],
	["h.1.mlp.c_proj", ["h.1.mlp.c_proj"], 4 * WIDTH, WIDTH],
];

for (const [layer, parts, inputs, outputs] of LINEARS) {
	test(`merges the LoRA of ${layer}: x W' = x W + scale (x A) B`, async (t) => {
		const { model, spec, parameters, tail } = await tuned(await tinyModel(t), "lora");
		const merged = await mergeTail(model, spec, parameters).read(`${layer}.weight`);
		const base = await model.read(`${layer}.weight`);
		const x = Array.from({ length: inputs }, (_, i) => Math.cos(i * 2.3));
		for (const [index, part] of parts.entries()) {
			const [column, stride] = [index * outputs, parts.length * outputs];
			const low = product(x, tail.get(`${part}.lora_A`) as Float32Array, 3);
			const added = product(low, tail.get(`${part}.lora_B`) as Float32Array, outputs).map((value) => 1.5 * value);
			const expected = product(x, base, outputs, column, stride).map((value, i) => value + (added[i] as number));
			t.true(near(product(x, merged, outputs, column, stride), expected, 1e-6), part);
			t.true(Math.max(...added.map(Math.abs)) > 1e-3);
		}
	});
}

test("merges the LoRA of the head, which is stored transposed, and doesn't change the vector", async (t) => {
	const { model, spec, parameters, tail } = await tuned(await tinyModel(t), "lora-only", 3);
	const before = parameters.slice();
	const merged = await mergeTail(model, spec, parameters).read("score.weight");
	const [a, b] = [tail.get("score.lora_A"), tail.get("score.lora_B")] as [Float32Array, Float32Array];
	for (const [place, value] of merged.entries()) {
		const [output, input] = [Math.floor(place / WIDTH), place % WIDTH];
		let expected = tail.get("score.weight")?.[place] as number;
		for (let r = 0; r < 3; r++) expected += 1.5 * (a[input * 3 + r] as number) * (b[r * 3 + output] as number);
		t.true(Math.abs(value - expected) < 1e-6);
	}
	t.deepEqual(parameters, before);
});

test("writes the folder of a GPT2ForSequenceClassification: names, shapes, labels, pad", async (t) => {
	const folder = join(await temporaryFolder(t), "deep", "model");
	const request = await tuned(await tinyModel(t), "last-block", 3);
	const labels = ["ham", "spam", 'a "third" one'];
	await exportClassifier({ ...request, labels, folder, extra: { token: "last-real", maxTokens: 6 } });
	const { tensors } = await readSafetensorsFile(join(folder, "model.safetensors"));
	const expected = [
		...baseShapes(TINY).map(([name, shape]) => [`transformer.${name}`, shape]),
		["score.weight", [3, WIDTH]],
	];
	t.deepEqual(
		[...tensors].map(([name, { shape }]) => [name, [...shape]]),
		expected,
	);
	t.true([...tensors.values()].every(({ type }) => type === "F32"));
	const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
	t.like(config, {
		...TINY,
		architectures: ["GPT2ForSequenceClassification"],
		model_type: "gpt2",
		n_ctx: TINY.n_positions,
		activation_function: "gelu_new",
		pad_token_id: TINY.vocab_size - 1,
		num_labels: 3,
		problem_type: "single_label_classification",
	});
	t.deepEqual(config.id2label, { 0: "ham", 1: "spam", 2: 'a "third" one' });
	t.deepEqual(config.label2id, { ham: 0, spam: 1, 'a "third" one': 2 });
	t.deepEqual(JSON.parse(await readFile(join(folder, "tailtune.json"), "utf8")), { token: "last-real", maxTokens: 6 });
	t.deepEqual((await readdir(folder)).sort(), ["config.json", "model.safetensors", "tailtune.json"]);
	t.deepEqual(await readdir(join(folder, "..")), ["model"]);
});

test("replaces trained tensors, keeps the others, divides the head, and moves the bias into the final norm", async (t) => {
	const folder = join(await temporaryFolder(t), "model");
	const { model, tail, ...request } = await tuned(await tinyModel(t), "last-block");
	await exportClassifier({ model, ...request, labels: ["a", "b"], temperature: 2.5, folder });
	const written = await openModel(folder);
	await written.checkFinite();
	const divided = (name: string) => (tail.get(name) as Float32Array).map((value) => value / 2.5);
	const weight = divided("score.weight");
	const shift = foldBias(weight, divided("score.bias"));
	t.true(Math.max(...shift.map(Math.abs)) > 0.01);
	t.deepEqual(await written.read("score.weight"), weight);
	for (const [name] of baseShapes(TINY)) {
		const expected = tail.get(name) ?? (await model.read(name));
		const moved = name === "ln_f.bias" ? expected.map((value, i) => value + (shift[i] as number)) : expected;
		t.deepEqual(await written.read(name), moved, name);
	}
	const read = await readInitialParameters(written, request.spec, 9, [0, 1]);
	const again = parameterViews(parameterLayout(request.spec, TINY), read);
	t.deepEqual(again.get("score.weight"), weight);
	t.deepEqual(again.get("score.bias"), new Float32Array(2));
});

test("writes the tokenizer, which pads with GPT-2's end of text", async (t) => {
	const folder = join(await temporaryFolder(t), "model");
	const model = await openModel(fileURLToPath(new URL("../../../coordinator/base-model/demo-model", import.meta.url)));
	const spec = specOf("head");
	await exportClassifier({
		model,
		spec,
		parameters: await readInitialParameters(model, spec, 1),
		labels: ["a", "b"],
		tokenizer: gpt2,
		maxTokens: 100,
		folder,
	});
	const contentOf = async (name: string) => JSON.parse(await readFile(join(folder, name), "utf8"));
	t.is((await contentOf("config.json")).pad_token_id, 50256);
	t.is((await contentOf("tokenizer.json")).model.vocab["<|endoftext|>"], 50256);
	t.like(await contentOf("tokenizer_config.json"), { pad_token: "<|endoftext|>", model_max_length: 100 });
});

test("replaces an older export as a whole, and keeps it if the new one fails", async (t) => {
	const folder = join(await temporaryFolder(t), "model");
	const request = { ...(await tuned(await tinyModel(t), "head")), labels: ["a", "b"], folder };
	await exportClassifier(request);
	await writeFile(join(folder, "stale"), "");
	const unreadable = { ...request.model, read: () => Promise.reject(new Error("gone")) };
	await t.throwsAsync(exportClassifier({ ...request, model: unreadable }), { message: "gone" });
	t.true((await readdir(folder)).includes("stale"));
	await exportClassifier(request);
	t.deepEqual((await readdir(folder)).sort(), ["config.json", "model.safetensors"]);
	t.deepEqual(await readdir(join(folder, "..")), ["model"]);
});

test("refuses more classes than the model's width", async (t) => {
	const folder = join(await temporaryFolder(t), "model");
	const request = await tuned(await tinyModel(t), "head", WIDTH + 1);
	const labels = Array.from({ length: WIDTH + 1 }, (_, i) => `${i}`);
	await t.throwsAsync(exportClassifier({ ...request, labels, folder }), {
		code: "model",
		message: /found 9 classes, expected at most 8/,
	});
});
