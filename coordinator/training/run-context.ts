import type { TailSpec } from "../../shared/messages.ts";
import type { ParameterLayout } from "../../shared/model/parameter-layout.ts";
import type { RunConfig } from "../../shared/settings/config.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { RunEvents } from "../events/run-events.ts";
import type { RunTexts } from "./run-texts.ts";

/** What the phases of a run share. */
export interface RunContext extends Pick<Cluster, "spec" | "dispatcher" | "tensors" | "refusals"> {
	readonly config: RunConfig;
	readonly folder: string;
	readonly tail: TailSpec;
	/** Frozen blocks before what is trained; 0: there are no features to keep. */
	readonly cut: number;
	readonly layout: ParameterLayout;
	readonly texts: RunTexts;
	readonly events: RunEvents;
	/** Aborts when the user wants the run to stop: the step in hand is finished first. */
	readonly interrupt: AbortSignal;
	/** Told the parameters of each epoch better on validation than all before it; they change afterwards. */
	readonly onBetter?: (parameters: Float32Array) => Promise<void>;
}
