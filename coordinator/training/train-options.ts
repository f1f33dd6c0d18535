import type { OpenCluster } from "../cluster/cluster.ts";
import type { RunEvents } from "../events/run-events.ts";
import type { StartRunServer } from "./run-server.ts";

/** Options of `train` and `resume`, besides the settings of the run. */
export interface TrainOptions {
	/** Opens the workers of the run: one in this process, or those of a cluster. */
	readonly openCluster: OpenCluster;
	/** Counts the workers at the start, for the number of shards if `--shards` is unset. Default: 1. */
	readonly countWorkers?: (() => Promise<number>) | undefined;
	/** Receives the events of the run. */
	readonly events: RunEvents;
	/** Aborts when the user stops the run; the current step is finished first. */
	readonly interrupt: AbortSignal;
	/** Writes a checkpoint after this number of epochs and throws `PausedRun`, unless the run ends by then. */
	readonly pauseAfter?: number | undefined;
	/** Called with the SHA-256 of all texts, before a model is loaded; it may throw to end the run. */
	readonly onTexts?: ((hash: string) => void | Promise<void>) | undefined;
	/** Starts a server of the best model so far during the run. Unset: no server. */
	readonly startServer?: StartRunServer | undefined;
}
