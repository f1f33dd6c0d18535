import { join } from "node:path";
import { planEpoch } from "../../coordinator/plan/plan-epoch.ts";
import { clipScale, gradientNorm } from "../../coordinator/training/gradient-norm.ts";
import { learningRate } from "../../coordinator/training/learning-rate.ts";
import type { TailSpec } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { type ParameterLayout, parameterLayout } from "../../shared/model/parameter-layout.ts";
import { readSafetensorsFile } from "../../shared/model/safetensors.ts";
import { countFrozenBlocks } from "../../shared/model/tail-spec.ts";
import { effectiveSequence } from "../../shared/sequences/effective-sequence.ts";
import { rowsOfTexts } from "../../shared/updates/embedding-rows.ts";
import { gradientForm, gradientLength } from "../../shared/updates/gradient-form.ts";
import { UpdatableState } from "../../shared/updates/updatable-state.ts";
import { adamWScalars } from "../../shared/vectors/adamw.ts";
import { addWeighted } from "../../shared/vectors/weighted-sum.ts";
import type { Engines } from "../../worker/engine/engine.ts";
import { targetsOf } from "../../worker/run/targets.ts";
import { allocateGradient, multiplyOut } from "../multiply-out.ts";
import { allowedOf, compareAfter, compareGradients } from "./compare-parameters.ts";
import { type GoldenFolder, specOf, startOf } from "./golden-folder.ts";
import type { GoldenCase, GoldenSplit } from "./golden-format.ts";
import { type GoldenInput, scoreOf, weightOf } from "./golden-loss.ts";
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
	readonly spec: TailSpec;
	readonly layout: ParameterLayout;
	readonly engines: Engines;
	readonly inputs: readonly GoldenInput[];
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
		const run = { folder, golden, spec, layout, engines, inputs, start };
		const measured = [...(await checkFeatures(run)), ...(await checkSteps(run)), ...(await checkShards(run))];
		return spec.loss ? [...measured, ...(await checkPlans(run))] : measured;
	} finally {
		await engines.tail.dispose();
		await engines.trunk?.dispose();
	}
}

async function inputsOf({ set, model }: GoldenFolder, golden: GoldenCase, { trunk }: Engines): Promise<GoldenInput[]> {
	const { position: token, causal, pad_to: padTo, classes } = golden;
	const padding = { token, causal, padTo, padId: set.pad_id };
	const texts = set.inputs.sequences.map((ids) => effectiveSequence(Uint32Array.from(ids), padding, padTo));
	const hidden = await trunk?.hiddenStates(texts.map(({ tokens }) => tokens));
	if (!trunk && countFrozenBlocks(specOf(golden), model.config.n_layer) > 0)
		throw new Error("found no trunk, expected one");
	const { loss } = specOf(golden);
	return texts.map((text, i) => {
		const labels = loss?.multiLabel ? (set.inputs.label_sets[i] ?? []) : [set.inputs.labels[classes]?.[i] ?? 0];
		return {
			...text,
			hidden: hidden?.[i] ?? new Float32Array(0),
			labels,
			targets: targetsOf(labels, classes, loss),
		};
	});
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
	const { folder, golden, spec, layout, inputs } = run;
	const { tail } = run.engines;
	const { set, path } = folder;
	const file = await readSafetensorsFile(join(path, golden.file));
	const stored = { set, golden, file, stride: golden.stride };
	const { form, gradient, rows, parameters, step: takeStep } = prepareSteps(run);
	const measured: Measurement[] = [];
	for (let step = 0; step <= set.adamw.steps; step++) {
		await tail.load(parameters);
		const logits = step < set.adamw.steps ? await tail.gradient(inputs, form, gradient) : await tail.logits(inputs);
		scale(gradient, run);
		const { loss, accuracy } = scoreOf(logits, inputs, spec);
		measured.push(
			difference(
				`loss after ${step} steps`,
				loss,
				golden.losses[step],
				step === 0 ? allowedOf(golden, "loss_abs") : CLOSE_LOSS,
			),
		);
		measured.push(difference(`accuracy after ${step} steps`, accuracy, golden.accuracies[step], 1e-9));
		if (step === 0) {
			measured.push(...compareLogits(golden, "logits", logits, await file.read("logits")));
			measured.push(
				...compareLogits(golden, "logits without gradient", await tail.logits(inputs), await file.read("logits")),
			);
			const whole = multiplyOut(form, { gradient, texts: inputs.length, rows });
			measured.push(...(await compareGradients(whole, layout, { ...stored, part: "grad" })));
			const product = await productOfFactors(run);
			const compared = product ? await compareGradients(product, layout, { ...stored, part: "grad" }) : [];
			measured.push(...compared.map((one) => ({ ...one, what: `product of factors: ${one.what}` })));
		}
		if (step === set.adamw.steps) break;
		measured.push(...takeStep(step));
	}
	return [...measured, ...(await compareAfter(parameters, layout, { ...stored, part: "after" }))];
}

/**
 * Prepares the AdamW steps of a case. Cases with options of the optimizer take them on factors, if weights can be sent
 * as such.
 */
function prepareSteps({ folder: { set, model }, golden, spec, layout, inputs, start }: Run) {
	const { optimizer, norms } = golden;
	const form = gradientForm(spec, model.config, norms.length > 0 ? 1 : 0);
	const texts = inputs.length;
	const rows = rowsOfTexts(form, inputs);
	const state = new UpdatableState(form, layout.size, texts);
	state.parameters.set(start);
	const gradient = state.update.subarray(0, gradientLength(form, texts, rows.length));
	const { lr, weight_decay: weightDecay, steps } = set.adamw;
	const step = (done: number): Measurement[] => {
		const version = done + 1;
		const rate = learningRate(version, steps, { ...optimizer, lr });
		const gradientScale = clipScale(optimizer.clip, form, { gradient, texts, rows });
		const options = { ...optimizer, lr: rate, weightDecay, gradientScale };
		const expected = norms[done];
		const norm = gradientNorm(form, { gradient, texts, rows });
		state.apply({ version, texts, rows, gradient, scalars: adamWScalars(version, options) }, 1);
		if (expected === undefined) return [];
		const relative = done === 0 ? allowedOf(golden, "grad_rel") : CLOSE_LOSS;
		return [difference(`norm in step ${version}`, norm, expected, relative * expected)];
	};
	return { form, gradient, rows, parameters: state.parameters, step };
}

/**
 * Computes the gradient with as many weights as possible as factors, and multiplies these. Undefined if no weight can
 * be sent as factors.
 */
async function productOfFactors(run: Run): Promise<Float32Array | undefined> {
	const { folder, spec, engines, inputs } = run;
	const form = gradientForm(spec, folder.model.config, 1);
	if (form.factors.length === 0 || inputs.some(({ poolCount }) => poolCount !== 1)) return undefined;
	const own = allocateGradient(form, inputs);
	await engines.tail.gradient(inputs, form, own.gradient);
	const product = multiplyOut(form, own);
	scale(product, run);
	return product;
}

/** Turns the gradient of the mean over texts into that of torch's mean, which divides by the weights of the labels. */
function scale(gradient: Float32Array, { inputs, spec }: Run): void {
	const factor = inputs.length / inputs.reduce((sum, input) => sum + weightOf(input, spec), 0);
	if (factor !== 1) for (const [i, value] of gradient.entries()) gradient[i] = value * factor;
}

/** Compares the sum over the parts of a planned step, with several shards and micro-batches, with the whole batch. */
async function checkPlans({ folder, golden, spec, layout, engines: { tail }, inputs, start }: Run) {
	const { set, path } = folder;
	const form = gradientForm(spec, folder.model.config, 0);
	const file = await readSafetensorsFile(join(path, golden.file));
	const measured: Measurement[] = [];
	await tail.load(start);
	for (const [accumulate, shards] of [
		[1, 3],
		[3, 2],
	] as const) {
		const examples = inputs.map(({ tokens }, id) => ({ id, tokens, shard: id % shards }));
		const steps = planEpoch({
			...{ examples, batch: inputs.length / accumulate, accumulate, seed: 1, epoch: 0, grouping: "none" },
			weightOf: (id) => weightOf(inputs[id] as GoldenInput, spec),
		});
		const total = new Float32Array(layout.trainedSize);
		for (const { part, examples: ids, weight } of steps.flatMap(({ parts }) => parts)) {
			const own = ids.flatMap((id) => inputs[id] ?? []);
			const found = allocateGradient(form, own);
			await tail.gradient(own, form, found.gradient);
			addWeighted(total, multiplyOut(form, found), weight, part === 0);
		}
		const whole = await compareGradients(total, layout, { set, golden, file, part: "grad", stride: golden.stride });
		measured.push(
			...whole.map((one) => ({ ...one, what: `${accumulate} micro-batches, ${shards} shards: ${one.what}` })),
		);
	}
	return measured;
}

/** Compares each shard of the batch, and the weighted sum of the shards with the whole batch. */
async function checkShards(run: Run): Promise<Measurement[]> {
	const splits = run.folder.set.data_parallel.splits.filter((split) => split.case === run.golden.name);
	const measured: Measurement[] = [];
	for (const split of splits) measured.push(...(await checkSplit(run, split)));
	return measured;
}

async function checkSplit(run: Run, split: GoldenSplit) {
	const { folder, golden, spec, layout, engines, inputs, start } = run;
	const { tail } = engines;
	const { set, path } = folder;
	const { file: name, stride } = set.data_parallel;
	const parallel = split.prefix === null ? undefined : await readSafetensorsFile(join(path, name));
	const title = `${split.rows.length} shards`;
	const allowed = allowedOf(golden, "loss_abs");
	const measured: Measurement[] = [];
	const form = gradientForm(spec, folder.model.config, 0);
	const total = new Float32Array(layout.trainedSize);
	let weightedLoss = 0;
	await tail.load(start);
	for (const [shard, rows] of split.rows.entries()) {
		const own = rows.flatMap((row) => inputs[row] ?? []);
		const found = allocateGradient(form, own);
		const logits = await tail.gradient(own, form, found.gradient);
		const gradient = multiplyOut(form, found);
		const { loss } = scoreOf(logits, own, spec);
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
