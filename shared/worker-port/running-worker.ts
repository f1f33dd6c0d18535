import type { Bus } from "../bus/bus.ts";
import type { WorkerTensors } from "../exchange/tensor-exchange.ts";
import type { RunSpec, WorkerInfo } from "../messages.ts";
import type { ModelFiles } from "../model/model-files.ts";
import type { Notices } from "../notices.ts";
import type { EngineChoice } from "./engine-choice.ts";

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
