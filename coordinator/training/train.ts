import { hostname } from "node:os";
import { TailtuneError } from "../../shared/errors.ts";
import type { RunProgress, TailSpec } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { parameterLayout } from "../../shared/model/parameter-layout.ts";
import { countFrozenBlocks, TRAINABLE_BY_NAME } from "../../shared/model/tail-spec.ts";
import { endOnSignals } from "../../shared/processes/interrupt.ts";
import type { RunConfig, TrainConfig } from "../../shared/settings/config.ts";
import { checkConfig, flagOf } from "../../shared/settings/resolve-config.ts";
import { readInitialParameters } from "../base-model/initial-parameters.ts";
import { loadModel } from "../base-model/load-model.ts";
import { matchHeadRows } from "../base-model/own-head.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { loadSets } from "../data/load-sets.ts";
import type { RunEvents } from "../events/run-events.ts";
import type { RunResult } from "../run-folder/result.ts";
import { createRunFolder, type RunFolder, reopenRunFolder } from "../run-folder/run-folder.ts";
import { makePathsAbsolute } from "./absolute-paths.ts";
import { newTrainingState, type StateShape, type TrainingState } from "./checkpoint.ts";
import type { Environment } from "./environment.ts";
import { exportModel } from "./export-model.ts";
import { finishRun } from "./finish-run.ts";
import { interruption } from "./interruption.ts";
import { prepareFeatures } from "./prepare-features.ts";
import { ProgressPublisher } from "./progress-publisher.ts";
import { restoreState } from "./restore-state.ts";
import type { RunContext } from "./run-context.ts";
import { runEpochs } from "./run-epochs.ts";
import { prepareTexts, type RunTexts } from "./run-texts.ts";
import type { ServerBeside } from "./serve-beside.ts";
import { Stopwatch } from "./stopwatch.ts";
import { textsWarnings } from "./texts-warnings.ts";

/** A finished run: where it is, and what it reached. */
export interface FinishedRun {
	readonly folder: string;
	readonly result: RunResult;
}

/** Trains from the beginning and leaves a result folder; nothing is left where the inputs are refused. */
export async function train(config: TrainConfig, environment: Environment): Promise<FinishedRun> {
	const watch = new Stopwatch();
	const inputs = await watch.time("load", () => loadInputs(config, environment));
	const folder = await createRunFolder(inputs.config);
	try {
		return await runInFolder(folder, inputs, watch, environment);
	} catch (error) {
		if (!(error instanceof TailtuneError && error.code === "interrupted")) await folder.undoUnlessBegun();
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
		const inputs = await watch.time("load", () => loadInputs(config, environment).catch(missingSince(folder.path)));
		return await runInFolder(folder, inputs, watch, environment);
	} finally {
		await folder.release();
	}
}

interface Inputs {
	readonly config: RunConfig;
	readonly model: ModelFiles;
	readonly texts: RunTexts;
	readonly tail: TailSpec;
	/** Names what the run learns from and on: a checkpoint goes on with nothing else. */
	readonly fingerprint: string;
}

// Texts first: what is wrong with them is told before a model is fetched.
async function loadInputs(given: TrainConfig, environment: Environment): Promise<Inputs> {
	const sets = await endOnSignals(() => loadSets(given, environment.events));
	const model = await loadModel(given, environment);
	const config = await fixShards(given, environment);
	const texts = await endOnSignals(() => prepareTexts(config, sets, model.config));
	const tail = tailSpecOf(config, texts.classes);
	assertRankFits(config, model.config.n_embd);
	if (texts.classes > model.config.n_embd) {
		const found = `found ${texts.classes} labels, expected at most ${model.config.n_embd}, the width of ${config.model}`;
		throw new TailtuneError("data", `${found}: no Hugging Face head could hold them`);
	}
	const saved = await makePathsAbsolute(config);
	const fingerprint = `${await model.hash()} ${texts.hash} ${JSON.stringify(saved)}`;
	// In between, as while workers were counted.
	if (environment.interrupt.aborted) throw new TailtuneError("interrupted", "stopped before the run began");
	return { config: saved, model, texts, tail, fingerprint };
}

/** No layer is wider than that, and no matrix of it has a larger rank. @throws TailtuneError "usage" */
function assertRankFits({ trainable, loraRank, model }: TrainConfig, width: number): void {
	if (!trainable.startsWith("lora") || loraRank <= 4 * width) return;
	const expected = `expected at most ${4 * width}, four times the width of ${model}`;
	throw new TailtuneError("usage", `--lora-rank: found ${loraRank}, ${expected}`);
}

/** Says of a file or a folder that isn't there any more what the run wants with it. */
function missingSince(path: string) {
	return (cause: unknown): never => {
		if (!(cause instanceof TailtuneError && cause.code === "not-found")) throw cause;
		const wayOut = `the run in ${path} was started with it: put it back there, or start a new run`;
		throw new TailtuneError("not-found", `${cause.message}; ${wayOut}`, { cause });
	};
}

/** Whoever comes and goes later: the shards are those of the start. */
async function fixShards(config: TrainConfig, { countWorkers = async () => 1 }: Environment): Promise<RunConfig> {
	const shards = config.shards ?? Math.min(await countWorkers(), config.batch);
	return { ...checkConfig({ ...config, shards }, flagOf), shards };
}

function tailSpecOf(config: TrainConfig, classes: number): TailSpec {
	const { trainable, causal, loraRank, loraAlpha } = config;
	const loraScale = trainable === "lora-only" ? loraAlpha / loraRank : loraAlpha;
	return { trainable: TRAINABLE_BY_NAME[trainable], classes, causal, loraRank, loraScale };
}

async function runInFolder(
	folder: RunFolder,
	{ config, model, texts, tail, fingerprint }: Inputs,
	watch: Stopwatch,
	environment: Environment,
): Promise<FinishedRun> {
	const { events } = environment;
	reportTexts(texts, events);
	warnIfUnlocked(folder, events);
	const layout = parameterLayout(tail, model.config);
	const shape: StateShape = {
		size: layout.size,
		trainedSize: layout.trainedSize,
		withMoments: config.localSteps > 1,
		withVelocity: config.outerMomentum > 0,
		withBest: config.keep === "best",
	};
	const saved = await restoreState(folder.path, fingerprint, shape, { config, texts });
	const rows = saved ? undefined : matchHeadRows(model, texts.labels, events);
	const state =
		saved ?? newTrainingState(fingerprint, await readInitialParameters(model, tail, config.seed, rows), shape);
	watch.add(state.progress.seconds);
	const cluster = await environment.openCluster({
		runId: folder.runId,
		abandoned: folder.abandoned,
		model,
		modelHash: await model.hash(),
		tail,
		trunkPrecision: config.trunkPrecision ?? "fp32",
		shards: config.shards,
		travel: { wire: config.wire, withMoments: config.localSteps > 1 },
		engine: config,
	});
	const interrupt = stopSignal(environment.interrupt, cluster, folder.path);
	const cut = countFrozenBlocks(tail, model.config.n_layer);
	const start = beginning(folder.path, config, state, cluster);
	const progress = new ProgressPublisher(events, start, cluster);
	const run: RunContext = {
		config,
		folder: folder.path,
		tail,
		cut,
		layout,
		texts,
		events,
		interrupt,
		...cluster,
		...(environment.serveBeside && {
			onBetter: (parameters) => exportModel({ config, cut, tail, texts, folder: folder.path }, model, parameters),
		}),
	};
	let server: ServerBeside | undefined;
	try {
		server = await environment.serveBeside?.(folder.path, config);
		if (server) events.line(`the best model so far answers on ${server.address}`);
		await watch.time("features", () => prepareFeatures(run));
		const outcome = await runEpochs(run, state, watch);
		return { folder: folder.path, result: await finishRun(run, model, state, outcome, watch) };
	} finally {
		progress.end();
		await Promise.all([server?.end(), cluster.close()]);
	}
}

function reportTexts({ classTexts, cut, maxTokens }: RunTexts, events: RunEvents): void {
	events.emit({ event: "texts", classes: classTexts, cut, maxTokens });
	for (const warning of textsWarnings(classTexts)) events.warn(warning);
}

function warnIfUnlocked({ path, unlocked }: RunFolder, events: RunEvents): void {
	if (unlocked === undefined) return;
	events.warn(`${path}: can't be locked (${unlocked}): make sure that no other process uses it`);
}

/**
 * Aborts when the user or somebody on the bus wants the run to stop. The step in hand is finished first, unless something
 * holds the run up: then it ends at once, since that may last.
 */
function stopSignal(interrupt: AbortSignal, { cancelled, notices, dispatcher }: Cluster, folder: string): AbortSignal {
	const stop = AbortSignal.any([interrupt, cancelled]);
	const endWaits = () => void notices.onHeldUp(() => dispatcher.fail(interruption(folder)));
	stop.addEventListener("abort", endWaits);
	if (stop.aborted) endWaits();
	return stop;
}

/** What is told of a run before anything is done. */
function beginning(folder: string, config: RunConfig, { progress }: TrainingState, { spec }: Cluster): RunProgress {
	const phase = { phase: "start", done: 0, total: 0, unit: "" };
	const epochs = { epoch: progress.epoch, epochs: config.epochs, validation: null, notices: [] };
	return { runId: spec.runId, host: hostname(), folder, ...phase, ...epochs };
}
