import { join } from "node:path";
import { crossEntropy } from "../../coordinator/metrics/cross-entropy.ts";
import type { TailSpec } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { type ParameterLayout, parameterLayout } from "../../shared/model/parameter-layout.ts";
import { readSafetensorsFile } from "../../shared/model/safetensors.ts";
import { countFrozenBlocks } from "../../shared/model/tail-spec.ts";
import { effectiveSequence } from "../../shared/sequences/effective-sequence.ts";
import { gradientForm, gradientLength } from "../../shared/updates/gradient-form.ts";
import { adamWScalars, stepAdamW } from "../../shared/vectors/adamw.ts";
import { addWeighted } from "../../shared/vectors/weighted-sum.ts";
import type { Engines, TailInput } from "../../worker/engine/engine.ts";
import { multiplyOut } from "../multiply-out.ts";
import { allowedOf, compareAfter, compareGradients } from "./compare-parameters.ts";
import { type GoldenFolder, specOf, startOf } from "./golden-folder.ts";
import type { GoldenCase, GoldenSplit } from "./golden-format.ts";
import { larger, type Measurement } from "./measure.ts";

/** An engine to check, with the name shown in the report. */
export interface GoldenEngine {
	readonly name: string;
	open(model: ModelFiles, spec: TailSpec): Promise<Engines>;
}

/** Tolerance of the losses after Adam's steps: the same as for most parameters. */
const CLOSE_LOSS = 1e-4;

/** A case being checked. */
interface Run {
	readonly folder: GoldenFolder;
	readonly golden: GoldenCase;
	readonly layout: ParameterLayout;
	readonly engines: Engines;
	readonly inputs: readonly TailInput[];
	readonly start: Float32Array;
}

/** Computes a case with an engine and compares every stored number of the case. */
export async function checkCase(
	folder: GoldenFolder,
	golden: GoldenCase,
	engine: GoldenEngine,
): Promise<Measurement[]> {
	const spec = specOf(golden);
	const layout = parameterLayout(spec, folder.model.config);
	const engines = await engine.open(folder.model, spec);
	try {
		const start = await startOf(folder, golden, layout);
		const inputs = await inputsOf(folder, golden, engines);
		const run = { folder, golden, layout, engines, inputs, start };
		return [...(await checkFeatures(run)), ...(await checkSteps(run)), ...(await checkShards(run))];
	} finally {
		await engines.tail.dispose();
		await engines.trunk?.dispose();
	}
}

async function inputsOf({ set, model }: GoldenFolder, golden: GoldenCase, { trunk }: Engines): Promise<TailInput[]> {
	const { position: token, causal, pad_to: padTo, classes } = golden;
	const padding = { token, causal, padTo, padId: set.pad_id };
	const texts = set.inputs.sequences.map((ids) => effectiveSequence(Uint32Array.from(ids), padding, padTo));
	const hidden = await trunk?.hiddenStates(texts.map(({ tokens }) => tokens));
	if (!trunk && countFrozenBlocks(specOf(golden), model.config.n_layer) > 0)
		throw new Error("found no trunk, expected one");
	return texts.map((text, i) => ({
		...text,
		hidden: hidden?.[i] ?? new Float32Array(0),
		label: set.inputs.labels[classes]?.[i] ?? 0,
	}));
}

/** Compares the trunk's hidden states with the stored ones. The relative tolerance is that of the logits. */
async function checkFeatures({ folder, golden, inputs }: Run): Promise<Measurement[]> {
	const { file, tensor, case: name, enters_block } = folder.set.features;
	const { n_layer, n_embd } = folder.model.config;
	if (golden.name !== name || countFrozenBlocks(specOf(golden), n_layer) !== enters_block) return [];
	const stored = await (await readSafetensorsFile(join(folder.path, file))).read(tensor);
	const [top, found] = inputs.reduce(
		([most, gap], { hidden }, text) =>
			hidden.reduce(
				([m, g], mine, i) => {
					const value = stored[text * golden.pad_to * n_embd + i] ?? Number.NaN;
					return [larger(m, Math.abs(value)), larger(g, Math.abs(value - mine))] as const;
				},
				[most, gap] as const,
			),
		[0, 0] as readonly [number, number],
	);
	return [{ what: "features", found, allowed: allowedOf(golden, "logits_rel") * top }];
}

/** Compares logits, gradients, and the parameters after the AdamW steps of the set. */
async function checkSteps(run: Run): Promise<Measurement[]> {
	const { folder, golden, layout, inputs, start } = run;
	const { tail } = run.engines;
	const { set, path } = folder;
	const file = await readSafetensorsFile(join(path, golden.file));
	const stored = { set, golden, file, stride: golden.stride };
	const labels = inputs.map(({ label }) => label);
	const parameters = start.slice();
	const form = gradientForm(specOf(golden), folder.model.config, 0);
	const gradient = new Float32Array(layout.trainedSize);
	const [firstMoment, secondMoment] = [gradient.slice(), gradient.slice()];
	const measured: Measurement[] = [];
	for (let step = 0; step <= set.adamw.steps; step++) {
		await tail.load(parameters);
		const logits = step < set.adamw.steps ? await tail.gradient(inputs, form, gradient) : await tail.logits(inputs);
		const { loss, correct } = crossEntropy(logits, labels, golden.classes);
		measured.push(
			difference(
				`loss after ${step} steps`,
				loss,
				golden.losses[step],
				step === 0 ? allowedOf(golden, "loss_abs") : CLOSE_LOSS,
			),
		);
		measured.push(difference(`accuracy after ${step} steps`, correct / labels.length, golden.accuracies[step], 1e-9));
		if (step === 0) {
			measured.push(...compareLogits(golden, "logits", logits, await file.read("logits")));
			measured.push(
				...compareLogits(golden, "logits without gradient", await tail.logits(inputs), await file.read("logits")),
			);
			measured.push(...(await compareGradients(gradient, layout, { ...stored, part: "grad" })));
			const product = await productOfFactors(run);
			const compared = product ? await compareGradients(product, layout, { ...stored, part: "grad" }) : [];
			measured.push(...compared.map((one) => ({ ...one, what: `product of factors: ${one.what}` })));
		}
		if (step === set.adamw.steps) break;
		const { lr, weight_decay: weightDecay } = set.adamw;
		const scalars = adamWScalars(step + 1, { lr, weightDecay });
		stepAdamW(parameters, gradient, { firstMoment, secondMoment }, scalars);
	}
	return [...measured, ...(await compareAfter(parameters, layout, { ...stored, part: "after" }))];
}

/**
 * Computes the gradient with as many weights as possible as factors, and multiplies these. Undefined if no weight can
 * be sent as factors.
 */
async function productOfFactors({ folder, golden, engines, inputs }: Run): Promise<Float32Array | undefined> {
	const form = gradientForm(specOf(golden), folder.model.config, 1);
	if (form.factors.length === 0 || inputs.some(({ poolCount }) => poolCount !== 1)) return undefined;
	const gradient = new Float32Array(gradientLength(form, inputs.length)).fill(Number.NaN);
	await engines.tail.gradient(inputs, form, gradient);
	return multiplyOut(form, gradient, inputs.length);
}

/** Compares each shard of the batch, and the weighted sum of the shards with the whole batch. */
async function checkShards(run: Run): Promise<Measurement[]> {
	const splits = run.folder.set.data_parallel.splits.filter((split) => split.case === run.golden.name);
	const measured: Measurement[] = [];
	for (const split of splits) measured.push(...(await checkSplit(run, split)));
	return measured;
}

async function checkSplit({ folder, golden, layout, engines: { tail }, inputs, start }: Run, split: GoldenSplit) {
	const { set, path } = folder;
	const { file: name, stride } = set.data_parallel;
	const parallel = split.prefix === null ? undefined : await readSafetensorsFile(join(path, name));
	const title = `${split.rows.length} shards`;
	const allowed = allowedOf(golden, "loss_abs");
	const measured: Measurement[] = [];
	const form = gradientForm(specOf(golden), folder.model.config, 0);
	const total = new Float32Array(layout.trainedSize);
	let weightedLoss = 0;
	await tail.load(start);
	for (const [shard, rows] of split.rows.entries()) {
		const gradient = new Float32Array(layout.trainedSize);
		const own = rows.flatMap((row) => inputs[row] ?? []);
		const logits = await tail.gradient(own, form, gradient);
		const { loss } = crossEntropy(
			logits,
			own.map(({ label }) => label),
			golden.classes,
		);
		measured.push(difference(`${title}: loss of shard ${shard}`, loss, split.losses[shard], allowed));
		if (parallel) {
			const part = `${split.prefix}/${shard}/grad`;
			measured.push(...(await compareGradients(gradient, layout, { set, golden, file: parallel, part, stride })));
		}
		const weight = split.weights[shard] ?? Number.NaN;
		addWeighted(total, gradient, weight, shard === 0);
		weightedLoss += weight * loss;
	}
	measured.push(difference(`${title}: weighted loss`, weightedLoss, split.weighted_loss, allowed));
	const file = await readSafetensorsFile(join(path, golden.file));
	const whole = await compareGradients(total, layout, { set, golden, file, part: "grad", stride: golden.stride });
	return [...measured, ...whole.map((one) => ({ ...one, what: `${title}: weighted ${one.what}` }))];
}

function compareLogits(golden: GoldenCase, what: string, own: Float32Array, stored: Float32Array): Measurement[] {
	if (own.length !== stored.length) throw new Error(`${what}: found ${own.length} numbers, expected ${stored.length}`);
	const found = stored.reduce((most, value, i) => larger(most, Math.abs(value - (own[i] ?? Number.NaN))), 0);
	return [{ what, found, allowed: allowedOf(golden, "logits_abs") }];
}

function difference(what: string, own: number, stored: number | undefined, allowed: number): Measurement {
	return { what, found: Math.abs(own - (stored ?? Number.NaN)), allowed };
}
