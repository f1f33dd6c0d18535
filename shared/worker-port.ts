import type { Command } from "commander";
import type { Bus } from "./bus/bus.ts";
import type { WorkerTensors } from "./exchange/tensor-exchange.ts";
import type { RunSpec, WorkerInfo } from "./messages.ts";
import type { ModelFiles } from "./model/model-files.ts";
import type { TrunkPrecision } from "./model/trunk-precision.ts";
import type { Notices } from "./notices.ts";
import type { Padding } from "./sequences/effective-sequence.ts";
import type { TrainConfig } from "./settings/config.ts";

/** The engine of a worker; `auto` chooses the best one that is installed. */
export interface EngineChoice {
	readonly engine: "auto" | "onnx" | "tfjs";
	readonly backend: TrainConfig["backend"];
	/** Compute threads. */
	readonly threads: number;
	/** Whether to refuse to compute without a GPU. Default: false. */
	readonly requireGpu?: boolean;
}

/** A worker's connection to the coordinator of one run. */
export interface RunConnection {
	readonly tensors: WorkerTensors;
	/** The base weights of the run. */
	openModel(): Promise<ModelFiles>;
	close(): Promise<void>;
}

export interface WorkerOptions {
	readonly bus: Bus;
	/** Connects to the coordinator of a run, under the worker's id. The connection is closed when `signal` aborts. */
	readonly connect: (run: RunSpec, workerId: string, signal: AbortSignal) => Promise<RunConnection>;
	readonly engine: EngineChoice;
	/**
	 * "thread": the engine computes in another thread, so that the event loop can send heartbeats and answer calls.
	 * "main-thread": a step is a little faster, but blocks the event loop. Default: "thread".
	 */
	readonly engineIn?: "main-thread" | "thread";
	readonly featureMemoryBytes: number;
	/** Bytes on disk for features that later runs can use. Default: 0. */
	readonly featureCacheBytes?: number;
	/** Receives problems that are tried again. Default: none. */
	readonly notices?: Notices;
}

/** A worker in this process. */
export interface RunningWorker {
	readonly info: WorkerInfo;
	/** Reports that it leaves, returns items that it hasn't begun, and finishes the current item. */
	stop(): Promise<void>;
	/** Resolves when the worker has ended; rejects if it ended by an error. */
	readonly stopped: Promise<void>;
}

export type StartWorker = (options: WorkerOptions) => Promise<RunningWorker>;

/** How a tuned model reads a text: cut to `maxTokens`, then padded. */
export interface TextReading extends Padding {
	readonly maxTokens: number;
	/** Longer texts are cut to `maxTokens`; false: they are refused. */
	readonly truncate: boolean;
}

/**
 * The ONNX graph of a tuned model: `input_ids` and `attention_mask` int64 [batch, sequence] to `logits` [batch,
 * classes]. Its weights are the model's files, which must be in the graph's folder.
 */
export type BuildOnnxClassifier = (model: ModelFiles, reading: TextReading) => Promise<Uint8Array>;

/** One engine and backend, as `tailtune doctor` shows it. */
export interface EngineReport {
	readonly engine: string;
	readonly backend: string;
	readonly usable: boolean;
	/** The version if it is usable; otherwise the reason and how to install it. */
	readonly detail: string;
}

/** Rates of this machine in the matrix products of the frozen blocks, in 10^9 operations per second. */
export interface ProductRates {
	readonly precision: TrunkPrecision;
	readonly threads: number;
	/** The products only. */
	readonly productsGflops: number;
	/** Whole blocks; only the operations of the products are counted. */
	readonly trunkGflops: number;
}

/** The worker's functions that the coordinator calls without importing them; `tailtune.ts` passes them. */
export interface WorkerSide {
	readonly startWorker: StartWorker;
	readonly inspectEngines: () => Promise<EngineReport[]>;
	/** Measures for a few seconds. @returns nothing if ONNX Runtime isn't installed */
	readonly measureRates: (threads: number) => Promise<ProductRates[]>;
	/** Adds `tailtune worker` to the command line. */
	readonly addWorkerCommand: (program: Command) => Promise<void>;
	readonly buildOnnxClassifier: BuildOnnxClassifier;
}
