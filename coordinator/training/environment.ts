import type { OpenCluster } from "../cluster/cluster.ts";
import type { RunEvents } from "../events/run-events.ts";
import type { ServeBeside } from "./serve-beside.ts";

/** The inputs of `train` and `resume` beside the settings. */
export interface Environment {
	/** Brings the run to workers: one in this process, or those of a cluster. */
	readonly openCluster: OpenCluster;
	/** Workers at the start: so many shards has a run that isn't told how many. Default: the one in this process. */
	readonly countWorkers?: (() => Promise<number>) | undefined;
	/** Gets the events of the run. */
	readonly events: RunEvents;
	/** Aborts when the user wants the run to stop: the step in hand is finished first. */
	readonly interrupt: AbortSignal;
	/** Starts what answers with the best model so far while the run goes on; default: nothing does. */
	readonly serveBeside?: ServeBeside | undefined;
}
