import type { TailSpec } from "../../shared/messages.ts";
import type { ParameterLayout } from "../../shared/model/parameter-layout.ts";
import type { RunConfig } from "../../shared/settings/config.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { RunEvents } from "../events/run-events.ts";
import type { RunTexts } from "./run-texts.ts";

/** Everything that the phases of a run share. */
export interface RunContext {
	/** The workers that compute. */
	readonly cluster: Pick<Cluster, "spec" | "dispatcher" | "tensors" | "threads" | "refusals" | "traffic">;
	readonly config: RunConfig;
	readonly folder: string;
	readonly tail: TailSpec;
	/** Number of frozen blocks before the trained ones. 0: there are no features to store. */
	readonly frozenBlocks: number;
	readonly layout: ParameterLayout;
	readonly texts: RunTexts;
	readonly events: RunEvents;
	/** Aborts when the user stops the run; the current step is finished first. */
	readonly interrupt: AbortSignal;
	/** As in `TrainOptions`. */
	readonly pauseAfter?: number | undefined;
	/** Called after each epoch with a better validation score than all before. The parameters change afterwards. */
	readonly onBetter?: (parameters: Float32Array) => Promise<void>;
}
