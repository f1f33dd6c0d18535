import { randomUUID } from "node:crypto";
import type { TrainConfig } from "../../shared/config.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { TailSpec } from "../../shared/messages.ts";
import { initialParameters } from "../../shared/model/initial-parameters.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { parameterLayout } from "../../shared/model/parameter-layout.ts";
import { cutOf, TRAINABLE_BY_NAME } from "../../shared/model/tail-spec.ts";
import type { RunResult } from "../results/result.ts";
import { keepMetrics } from "../results/result-files.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { newTrainingState, readCheckpoint, type StateShape, type TrainingState } from "./checkpoint.ts";
import type { OpenCluster } from "./cluster.ts";
import { finishRun } from "./finish-run.ts";
import { loadModel } from "./load-model.ts";
import { prepareFeatures } from "./prepare-features.ts";
import type { RunContext } from "./run-context.ts";
import { runEpochs } from "./run-epochs.ts";
import { createRunFolder, type RunFolder, reopenRunFolder } from "./run-folder.ts";
import { loadSplit, prepareTexts, type RunTexts } from "./run-texts.ts";
import { Stopwatch } from "./stopwatch.ts";

/** What a run needs from around it. */
export interface Environment {
	/** Brings the run to workers: one in this process, or those of a cluster. */
	readonly openCluster: OpenCluster;
	readonly terminal: Terminal;
	/** Aborts when the user wants the run to stop: the step in hand is finished first. */
	readonly interrupt: AbortSignal;
}

/** A finished run: where it is, and what it reached. */
export interface FinishedRun {
	readonly folder: string;
	readonly result: RunResult;
}

/** Trains from the beginning and leaves a result folder; nothing is left where the inputs are refused. */
export async function train(config: TrainConfig, environment: Environment): Promise<FinishedRun> {
	const watch = new Stopwatch();
	const inputs = await watch.time("load", () => loadInputs(config, environment));
	const folder = await createRunFolder(config);
	try {
		return await runInFolder(folder, config, inputs, watch, environment);
	} catch (error) {
		if (!environment.interrupt.aborted) await folder.undoUnlessBegun();
		throw error;
	} finally {
		await folder.release();
	}
}

/** Goes on with a run that was interrupted: the result is the same, bit for bit, as without the interruption. */
export async function resume(path: string, environment: Environment): Promise<FinishedRun> {
	const { folder, config } = await reopenRunFolder(path);
	const watch = new Stopwatch();
	try {
		const inputs = await watch.time("load", () => loadInputs(config, environment));
		return await runInFolder(folder, config, inputs, watch, environment);
	} finally {
		await folder.release();
	}
}

interface Inputs {
	readonly model: ModelFiles;
	readonly texts: RunTexts;
	readonly tail: TailSpec;
	/** Names what the run learns from and on: a checkpoint goes on with nothing else. */
	readonly fingerprint: string;
}

// Texts first: what is wrong with them is told before a model is fetched.
async function loadInputs(config: TrainConfig, environment: Environment): Promise<Inputs> {
	const sets = await loadSplit(config, environment.terminal);
	const model = await loadModel(config, environment);
	const texts = await prepareTexts(config, sets, model.config);
	const tail = tailSpecOf(config, texts.classes);
	if (texts.classes > model.config.n_embd) {
		const found = `found ${texts.classes} labels, expected at most ${model.config.n_embd}, the width of ${config.model}`;
		throw new TailtuneError("data", `${found}: no Hugging Face head could hold them`);
	}
	return { model, texts, tail, fingerprint: `${await model.hash()} ${texts.hash} ${JSON.stringify(config)}` };
}

function tailSpecOf(config: TrainConfig, classes: number): TailSpec {
	const { trainable, causal, loraRank, loraAlpha } = config;
	const loraScale = trainable === "lora-only" ? loraAlpha / loraRank : loraAlpha;
	return { trainable: TRAINABLE_BY_NAME[trainable], classes, causal, loraRank, loraScale };
}

async function runInFolder(
	folder: RunFolder,
	config: TrainConfig,
	{ model, texts, tail, fingerprint }: Inputs,
	watch: Stopwatch,
	{ openCluster, terminal, interrupt }: Environment,
): Promise<FinishedRun> {
	const layout = parameterLayout(tail, model.config);
	const state = await openState(folder.path, fingerprint, () => initialParameters(model, tail, config.seed), {
		trainedSize: layout.trainedSize,
		withMoments: config.localSteps > 1,
		withVelocity: config.outerMomentum > 0,
	});
	watch.add(state.progress.seconds);
	const cluster = await openCluster({
		runId: randomUUID(),
		model,
		modelHash: await model.hash(),
		tail,
		shards: config.shards,
		travel: { wire: config.wire, withMoments: config.localSteps > 1 },
		engine: config,
	});
	const cut = cutOf(tail, model.config.n_layer);
	const run: RunContext = {
		config,
		folder: folder.path,
		tail,
		cut,
		layout,
		texts,
		terminal,
		interrupt,
		...cluster,
	};
	try {
		await watch.time("features", () => prepareFeatures(run));
		const outcome = await runEpochs(run, state, watch);
		return { folder: folder.path, result: await finishRun(run, model, state, outcome, watch) };
	} finally {
		await cluster.close();
	}
}

async function openState(
	folder: string,
	fingerprint: string,
	begin: () => Promise<Float32Array>,
	shape: StateShape,
): Promise<TrainingState> {
	const saved = await readCheckpoint(folder, fingerprint, shape);
	const state = saved ?? newTrainingState(fingerprint, await begin(), shape);
	await keepMetrics(folder, state.progress.metricsLines);
	return state;
}
