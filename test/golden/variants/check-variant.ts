import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { exportClassifier } from "../../../coordinator/export/export-classifier.ts";
import type { TailSpec } from "../../../shared/messages.ts";
import { ACTIVATION_BY_NAME, type ActivationName } from "../../../shared/model/activation.ts";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import { openModel } from "../../../shared/model/open-model.ts";
import { baseShapes, parameterLayout, parameterViews } from "../../../shared/model/parameter-layout.ts";
import { readSafetensorsFile, writeSafetensors } from "../../../shared/model/safetensors.ts";
import { sizeOf } from "../../../shared/model/safetensors-header.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import { innerWidth } from "../../../shared/model/variant.ts";
import { gradientForm } from "../../../shared/updates/gradient-form.ts";
import type { Engines, TailInput } from "../../../worker/engine/engine.ts";
import { buildClassifierGraph } from "../../../worker/engine/onnx/classifier-graph.ts";
import { openEngines } from "../../../worker/engine/open-engines.ts";
import { targetsOf } from "../../../worker/run/targets.ts";
import { allocateGradient, multiplyOut } from "../../multiply-out.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import type { GoldenEngine } from "../check-golden.ts";
import { relativeGap } from "../measure.ts";

/** A variant of GPT-2 with expected results. */
export interface Variant {
	readonly name: string;
	/** Settings in `config.json`. */
	readonly config: Record<string, unknown>;
	/** Only `config.json` differs from another variant. */
	readonly isAlias: boolean;
}

interface Variants {
	readonly shape: Record<string, number>;
	readonly classes: number;
	readonly texts: readonly (readonly number[])[];
	readonly labels: readonly number[];
	readonly lora: { readonly rank: number; readonly scale: number };
	readonly stride: number;
	readonly variants: readonly Omit<Variant, "isAlias">[];
}

const here = (name: string) => join(import.meta.dirname, name);
const set: Variants = JSON.parse(await readFile(here("variants.json"), "utf8"));
const weights = await readSafetensorsFile(here("weights.safetensors"));
const expected = await readSafetensorsFile(here("expected.safetensors"));
/** The variants, in the order of the file. */
export const VARIANTS: readonly Variant[] = set.variants.map((variant) => {
	const { activation_function: name = "gelu_new", reorder_and_upcast_attn: isReordered } = variant.config;
	return { ...variant, isAlias: isReordered === true || ACTIVATION_BY_NAME[name as ActivationName] !== name };
});
const tokens = set.texts.map((ids) => Uint32Array.from(ids));

/** The number of classes, and the texts with their labels. The head reads the last token. */
export const CLASSES = set.classes;
export const INPUTS: readonly Omit<TailInput, "hidden">[] = tokens.map((own, i) => {
	const targets = targetsOf([set.labels[i] as number], set.classes, null);
	return { tokens: own, poolFrom: own.length - 1, poolCount: 1, targets };
});

/** Reads the first rows and columns of a weight: those of a model with this shape. */
async function readPart(name: string, shape: readonly number[]): Promise<Float32Array> {
	const whole = await weights.read(name);
	const stored = weights.tensors.get(name)?.shape ?? [];
	const columns = shape.at(-1) ?? 0;
	const width = stored.at(-1) ?? 0;
	return Float32Array.from(
		{ length: sizeOf(shape) },
		(_, i) => whole[Math.floor(i / columns) * width + (i % columns)] ?? NaN,
	);
}

async function writeVariant(t: ExecutionContext, config: Record<string, unknown>): Promise<ModelFiles> {
	const folder = await temporaryFolder(t);
	const written = { model_type: "gpt2", ...set.shape, ...config };
	await writeFile(join(folder, "config.json"), JSON.stringify(written));
	const shape = { ...set.shape, ...config } as unknown as ModelFiles["config"];
	const tensors = baseShapes(shape).map(([name, own]) => ({ name, shape: own, data: () => readPart(name, own) }));
	await writeSafetensors(join(folder, "model.safetensors"), tensors);
	const model = await openModel(folder);
	t.is(innerWidth(model.config), innerWidth(shape));
	return model;
}

/** Compares every number; the tolerance is relative to the largest expected one. `found[i]` stands for `stored[i]`. */
function assertNear(t: ExecutionContext, what: string, found: Float32Array, stored: Float32Array, from = 0): void {
	t.is(found.length, stored.length, what);
	const gap = relativeGap(found, stored, from);
	t.true(gap <= 1e-5, `${what}: found a difference of ${gap}, expected at most 1e-5 of the largest number`);
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
	return Float32Array.from(parts.flatMap((part) => [...part]));
}

async function readParameters(spec: TailSpec, { config }: ModelFiles): Promise<Float32Array> {
	const layout = parameterLayout(spec, config);
	const parameters = new Float32Array(layout.size);
	const views = parameterViews(layout, parameters);
	for (const { name, shape } of layout.entries) views.get(name)?.set(await readPart(name, shape));
	return parameters;
}

/** Compares the hidden states of a trunk, and logits and gradients of a tail. */
async function assertTail(
	t: ExecutionContext,
	name: string,
	spec: TailSpec,
	model: ModelFiles,
	{ trunk, tail }: Engines,
) {
	const hidden = await trunk?.hiddenStates(tokens);
	if (hidden) assertNear(t, "hidden states", concatenate(hidden), await expected.read(`${name}/hidden`));
	const inputs: TailInput[] = INPUTS.map((input, i) => ({ ...input, hidden: hidden?.[i] ?? new Float32Array(0) }));
	await tail.load(await readParameters(spec, model));
	const part = spec.loraRank > 0 ? `${name}/lora` : name;
	const stored = await expected.read(`${part}/gradient`);
	for (const factorTexts of hidden ? [0, 1] : [0]) {
		const form = gradientForm(spec, model.config, factorTexts);
		const found = allocateGradient(form, inputs);
		const logits = await tail.gradient(inputs, form, found.gradient);
		assertNear(t, "logits", logits, await expected.read(`${part}/logits`));
		// The gradient of the last block is the end of that of all parameters.
		const own = multiplyOut(form, found);
		const total = totalOf(spec, model);
		const start = total - own.length;
		const thinned = Float32Array.from(stored, (_, i) => own[i * set.stride - start] ?? 0);
		assertNear(t, `gradient, factors for ${factorTexts} texts`, thinned, stored, Math.ceil(start / set.stride));
	}
}

function totalOf(spec: TailSpec, { config }: ModelFiles): number {
	const all = spec.loraRank > 0 ? spec : plainTail("TRAINABLE_ALL", set.classes);
	return parameterLayout(all, config).trainedSize;
}

const LAST_BLOCK = plainTail("TRAINABLE_LAST_BLOCK", set.classes);
const SPECS: readonly TailSpec[] = [
	LAST_BLOCK,
	plainTail("TRAINABLE_ALL", set.classes),
	{ ...plainTail("TRAINABLE_LORA_ONLY", set.classes), loraRank: set.lora.rank, loraScale: set.lora.scale },
];

/** Compares the features, logits and gradients of an engine with those of transformers. */
export async function assertVariant(
	t: ExecutionContext,
	{ name, config }: Variant,
	engine: GoldenEngine,
): Promise<void> {
	const model = await writeVariant(t, config);
	for (const spec of SPECS) {
		const opened = await engine.open(model, spec);
		try {
			await assertTail(t, name, spec, model, opened);
		} finally {
			await opened.tail.dispose();
			await opened.trunk?.dispose();
		}
	}
}

/** Compares int8 features, and the logits of the exported folder and ONNX graph, with those of transformers. */
export async function assertVariantExports(t: ExecutionContext, { name, config }: Variant): Promise<void> {
	const model = await writeVariant(t, config);
	const choice = { engine: "onnx", backend: "auto", threads: 1, trunkPrecision: "int8" } as const;
	const { trunk, tail } = await openEngines(model, LAST_BLOCK, choice);
	const found = concatenate((await trunk?.hiddenStates(tokens)) ?? []);
	await Promise.all([trunk?.dispose(), tail.dispose()]);
	const stored = await expected.read(`${name}/hidden`);
	const squares = (of: Float32Array) => of.reduce((sum, value) => sum + value * value, 0);
	const error = Math.sqrt(squares(found.map((value, i) => value - (stored[i] ?? NaN))) / squares(stored));
	t.true(error > 1e-4 && error < 0.03, `relative error ${error}`);

	const folder = join(model.folder, "exported");
	const labels = Array.from({ length: set.classes }, (_, i) => `class ${i}`);
	await exportClassifier({
		model,
		spec: LAST_BLOCK,
		parameters: await readParameters(LAST_BLOCK, model),
		labels,
		folder,
	});
	const exported = await openModel(folder);
	t.deepEqual(exported.config, model.config);
	const reading = { token: "last-real", causal: true, padTo: undefined, maxTokens: 12, long: "refuse" } as const;
	await writeFile(join(folder, "model.onnx"), await buildClassifierGraph(exported, reading));
	const session = await InferenceSession.create(join(folder, "model.onnx"), { intraOpNumThreads: 1 });
	for (const [text, own] of tokens.entries()) {
		const ids = (of: ArrayLike<number>) =>
			new Tensor("int64", BigInt64Array.from(Array.from(of, BigInt)), [1, of.length]);
		const { logits } = await session.run({ input_ids: ids(own), attention_mask: ids(own.map(() => 1)) });
		const [from, to] = [text * set.classes, (text + 1) * set.classes];
		const wanted = (await expected.read(`${name}/logits`)).slice(from, to);
		assertNear(t, "logits of the exported graph", logits?.data as Float32Array, wanted);
	}
	await session.release();
}
