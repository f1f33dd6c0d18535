import type { Command } from "commander";
import type { Bus } from "./bus/bus.ts";
import type { WorkerTensors } from "./exchange/tensor-exchange.ts";
import type { RunSpec, WorkerInfo } from "./messages.ts";
import type { ModelFiles } from "./model/model-files.ts";
import type { TrunkPrecision } from "./model/trunk-precision.ts";
import type { Notices } from "./notices.ts";
import type { Padding } from "./sequences/effective-sequence.ts";
import type { TrainConfig } from "./settings/config.ts";

/** What a worker computes with; `auto` takes the best that is there. */
export interface EngineChoice {
	readonly engine: "auto" | "onnx" | "tfjs";
	readonly backend: TrainConfig["backend"];
	/** Compute threads. */
	readonly threads: number;
	/** Refuse to compute on anything but a GPU. */
	readonly requireGpu?: boolean;
}

/** A worker's way to the coordinator of one run. */
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
	 * Where the engine computes. "thread": beside the event loop, which can then send heartbeats and answer calls meanwhile.
	 * "main-thread": a step is a little faster, and nothing else happens during it. Default: "thread".
	 */
	readonly engineIn?: "main-thread" | "thread";
	readonly featureMemoryBytes: number;
	/** On disk, for later runs; none by default. */
	readonly featureCacheBytes?: number;
	/** Told what goes wrong and is tried again; default: nobody is told. */
	readonly notices?: Notices;
}

/** A worker that lives in this process. */
export interface RunningWorker {
	readonly info: WorkerInfo;
	/** Says good-bye, hands back what it hasn't begun, finishes the item in hand. */
	stop(): Promise<void>;
	/** Settles when the worker has ended; rejects where it ended by an error. */
	readonly stopped: Promise<void>;
}

export type StartWorker = (options: WorkerOptions) => Promise<RunningWorker>;

/** How a tuned model reads a text: cut to so many tokens, then padded. */
export interface TextReading extends Padding {
	readonly maxTokens: number;
	/** Longer texts are cut to `maxTokens`; false: they are refused. */
	readonly truncate: boolean;
}

/**
 * The ONNX graph of a tuned model: `input_ids` and `attention_mask` int64 [batch, sequence] to `logits` [batch, classes].
 * Its weights are the model's files, looked for beside the graph.
 */
export type BuildOnnxClassifier = (model: ModelFiles, reading: TextReading) => Promise<Uint8Array>;

/** One engine and backend, as `tailtune doctor` shows it. */
export interface EngineReport {
	readonly engine: string;
	readonly backend: string;
	readonly usable: boolean;
	/** Version where usable, else why not and how to get it. */
	readonly detail: string;
}

/** What this machine reaches in the matrix products of the frozen blocks, in units of 10^9 operations a second. */
export interface ProductRates {
	readonly precision: TrunkPrecision;
	readonly threads: number;
	/** The products alone. */
	readonly productsGflops: number;
	/** Whole blocks, of which the same operations are counted. */
	readonly trunkGflops: number;
}

/** What the composition root gives the coordinator, which itself never imports the worker. */
export interface WorkerSide {
	readonly startWorker: StartWorker;
	readonly inspectEngines: () => Promise<EngineReport[]>;
	/** Takes a few seconds. @returns nothing where there is no ONNX Runtime */
	readonly measureRates: (threads: number) => Promise<ProductRates[]>;
	/** Adds `tailtune worker` to the command line. */
	readonly addWorkerCommand: (program: Command) => Promise<void>;
	readonly buildOnnxClassifier: BuildOnnxClassifier;
}
