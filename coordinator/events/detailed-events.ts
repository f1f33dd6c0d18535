import type { WorkerInfo } from "../../shared/messages.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import type { MetricsLine } from "../run-folder/result.ts";

/**
 * State of a worker: it has an item to compute; it has none; its connection or its heartbeats are lost; it gets no work
 * for a while after a fault; it shut down.
 */
export type WorkerState = "computing" | "waiting" | "silent" | "suspended" | "left";

/** State of a worker now, and its work so far. */
export interface WorkerActivity {
	readonly worker: WorkerInfo;
	readonly state: WorkerState;
	/** Its shards. */
	readonly shards: readonly number[];
	/** Relative to the average worker, which has 1. */
	readonly speed: number;
	/** Time in which it had an item to compute, including the current one. */
	readonly computingSeconds: number;
	/** Answers accepted. */
	readonly answers: number;
	/** Texts of the run, or windows of texts, in these answers. */
	readonly texts: number;
	/** Texts that it ran through the frozen blocks; the features of the others were in its cache. */
	readonly trunkTexts: number;
}

/** An event that is created only if a listener asks for details. It isn't part of the output of `--json`. */
export type DetailedEvent =
	| {
			readonly event: "run-started";
			readonly folder: string;
			readonly config: TrainConfig;
			/** Evaluations of earlier processes of the same run. */
			readonly metrics: readonly MetricsLine[];
	  }
	| {
			readonly event: "training-step";
			/** Optimizer steps done. */
			readonly step: number;
			/** Training texts learned from, as in `metrics.jsonl`. */
			readonly examplesSeen: number;
			/** Since the run began, as in `metrics.jsonl`. */
			readonly seconds: number;
			/** Mean cross-entropy of the texts of this step, before the update. */
			readonly loss: number;
	  }
	| {
			readonly event: "workers-now";
			/** Seconds on a monotonic clock. */
			readonly seconds: number;
			readonly workers: readonly WorkerActivity[];
			/** Bytes to and from the workers so far; null if they are in this process. */
			readonly bytes: number | null;
	  };
