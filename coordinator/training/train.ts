import { hostname } from "node:os";
import { TailtuneError } from "../../shared/errors.ts";
import type { RunProgress } from "../../shared/messages.ts";
import { parameterLayout } from "../../shared/model/parameter-layout.ts";
import { countFrozenBlocks } from "../../shared/model/tail-spec.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { withThresholds } from "../classify/with-thresholds.ts";
import type { Cluster, ClusterRun } from "../cluster/cluster.ts";
import type { RunEvents } from "../events/run-events.ts";
import { neutralRule } from "../metrics/scoring.ts";
import { countFactorTexts } from "../plan/count-factor-texts.ts";
import type { RunResult } from "../run-folder/result.ts";
import { readMetrics } from "../run-folder/result-files.ts";
import { createRunFolder, type RunFolder, reopenRunFolder } from "../run-folder/run-folder.ts";
import type { TrainingState } from "./checkpoint.ts";
import { exportModel } from "./export-model.ts";
import { finishRun } from "./finish-run.ts";
import { createInterruption } from "./interruption.ts";
import { openState } from "./open-state.ts";
import { prepareFeatures } from "./prepare-features.ts";
import { ProgressPublisher } from "./progress-publisher.ts";
import { reportWorkers } from "./report-workers.ts";
import type { RunContext } from "./run-context.ts";
import { runEpochs } from "./run-epochs.ts";
import { loadInputs, type RunInputs } from "./run-inputs.ts";
import type { RunServer } from "./run-server.ts";
import { Stopwatch } from "./stopwatch.ts";
import { listTextsWarnings } from "./texts-warnings.ts";
import type { TrainOptions } from "./train-options.ts";

/** Folder and result of a finished run. */
export interface FinishedRun {
	readonly folder: string;
	readonly result: RunResult;
}

/** Trains a new run and leaves its folder with the result. If the inputs are refused, no folder is left. */
export async function train(config: TrainConfig, options: TrainOptions): Promise<FinishedRun> {
	const watch = new Stopwatch();
	const inputs = await watch.time("load", () => loadInputs(config, options));
	const folder = await createRunFolder(inputs.config);
	try {
		return await runInFolder(folder, inputs, watch, options);
	} catch (error) {
		if (!(error instanceof TailtuneError && error.code === "interrupted")) await folder.undoUnlessBegun();
		throw error;
	} finally {
		await folder.release();
	}
}

/** Continues an interrupted run. The result has the same bits as without the interruption. */
export async function resume(path: string, options: TrainOptions): Promise<FinishedRun> {
	const { folder, config } = await reopenRunFolder(path);
	const watch = new Stopwatch();
	try {
		const load = () => loadInputs(config, options).catch((error) => throwWithHint(error, folder.path));
		return await runInFolder(folder, await watch.time("load", load), watch, options);
	} finally {
		await folder.release();
	}
}

/** Adds to the error of a missing file that the run needs it. */
function throwWithHint(cause: unknown, folder: string): never {
	if (!(cause instanceof TailtuneError && cause.code === "not-found")) throw cause;
	const hint = `the run in ${folder} was started with it: put it back there, or start a new run`;
	throw new TailtuneError("not-found", `${cause.message}; ${hint}`, { cause });
}

async function runInFolder(
	folder: RunFolder,
	inputs: RunInputs,
	watch: Stopwatch,
	options: TrainOptions,
): Promise<FinishedRun> {
	const { config, model } = inputs;
	const { events, startServer } = options;
	reportTexts(inputs, events);
	warnIfUnlocked(folder, events);
	const state = await openState(folder.path, inputs, events);
	if (events.isDetailed) {
		const metrics = await readMetrics(folder.path);
		events.emitDetail({ event: "run-started", folder: folder.path, config, metrics });
	}
	watch.add(state.progress.seconds);
	const cluster = await options.openCluster(await toClusterRun(folder, inputs));
	const progress = new ProgressPublisher(events, initialProgress(folder.path, inputs, state, cluster), cluster);
	const run = createContext(folder.path, inputs, cluster, options);
	const stopWorkerReports = events.isDetailed ? reportWorkers(events, cluster) : () => {};
	let server: RunServer | undefined;
	try {
		server = await startServer?.(folder.path, config);
		if (server) events.line(`the best model so far answers on ${server.address}`);
		await prepareFeatures(run, watch);
		const outcome = await runEpochs(run, state, watch);
		return { folder: folder.path, result: await finishRun(run, model, state, outcome, watch) };
	} finally {
		stopWorkerReports();
		progress.end();
		await Promise.all([server?.end(), cluster.close()]);
	}
}

function reportTexts({ config, texts }: RunInputs, events: RunEvents): void {
	const { classTexts, cut, windows, maxTokens, train, validation, test } = texts;
	const counts = { train: train.length, validation: validation.length, test: test.length };
	const sets = config.multiLabel && { texts: counts };
	events.emit({ event: "texts", classes: classTexts, ...sets, cut, windows, maxTokens });
	for (const warning of listTextsWarnings(classTexts)) events.warn(warning);
}

function warnIfUnlocked({ path, unlocked }: RunFolder, events: RunEvents): void {
	if (unlocked === undefined) return;
	events.warn(`${path}: can't be locked (${unlocked}): make sure that no other process uses it`);
}

async function toClusterRun({ runId, abandoned }: RunFolder, { config, model, tail }: RunInputs): Promise<ClusterRun> {
	return {
		runId,
		abandoned,
		model,
		modelHash: await model.hash(),
		tail,
		trunkPrecision: config.trunkPrecision ?? "fp32",
		shards: config.shards,
		factorTexts: countFactorTexts(config),
		engine: config,
	};
}

/** The progress published before the first phase. */
function initialProgress(
	folder: string,
	{ config }: RunInputs,
	{ progress }: TrainingState,
	{ spec }: Cluster,
): RunProgress {
	const phase = { phase: "start", done: 0, total: 0, unit: "", secondsLeft: 0 };
	const { name = "", model, data, train = "" } = config;
	const names = { name, model, data: data ?? train, startedAtMs: Date.now() };
	const epochs = { epoch: progress.epoch, epochs: config.epochs, validation: null, notices: [], workers: [] };
	return { runId: spec.runId, host: hostname(), folder, ...phase, ...epochs, ...names };
}

function createContext(
	folder: string,
	{ config, model, texts, tail }: RunInputs,
	cluster: Cluster,
	{ events, interrupt, pauseAfter, startServer }: TrainOptions,
): RunContext {
	const frozenBlocks = countFrozenBlocks(tail, model.config.n_layer);
	return {
		config,
		folder,
		tail,
		frozenBlocks,
		layout: parameterLayout(tail, model.config),
		texts,
		events,
		interrupt: createStopSignal(interrupt, cluster, folder),
		pauseAfter,
		cluster,
		...(startServer && {
			onBetter: (parameters) => {
				// Thresholds are chosen at the end of the run.
				const best = texts.labels.map(() => 0.5);
				const thresholds = withThresholds([], config.threshold, texts.labels, best);
				const rule = { ...neutralRule(config.multiLabel), thresholds };
				return exportModel({ config, frozenBlocks, tail, texts, folder }, model, parameters, rule);
			},
		}),
	};
}

/**
 * Returns a signal that aborts when the user stops the run here or by `tailtune cancel`. The current step is finished
 * first; but if the run waits for something, for example for workers, it ends at once.
 */
function createStopSignal(
	interrupt: AbortSignal,
	{ cancelled, notices, dispatcher }: Cluster,
	folder: string,
): AbortSignal {
	const stop = AbortSignal.any([interrupt, cancelled]);
	const endWaits = () => void notices.onHeldUp(() => dispatcher.fail(createInterruption(folder)));
	stop.addEventListener("abort", endWaits);
	if (stop.aborted) endWaits();
	return stop;
}
