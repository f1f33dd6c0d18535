import type { TrainConfig } from "../../shared/config.ts";
import type { RunSpec, TailSpec } from "../../shared/messages.ts";
import type { ParameterLayout } from "../../shared/model/parameter-layout.ts";
import type { CoordinatorTensors } from "../../shared/tensors/tensor-exchange.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { RunTexts } from "./run-texts.ts";

/** What the phases of a run share. */
export interface RunContext {
	readonly config: TrainConfig;
	readonly folder: string;
	readonly spec: RunSpec;
	readonly tail: TailSpec;
	/** Frozen blocks before what is trained; 0: there are no features to keep. */
	readonly cut: number;
	readonly layout: ParameterLayout;
	readonly texts: RunTexts;
	readonly dispatcher: Dispatcher;
	readonly tensors: CoordinatorTensors;
	readonly terminal: Terminal;
	/** Aborts when the user wants the run to stop: the step in hand is finished first. */
	readonly interrupt: AbortSignal;
	/** Told the parameters of each epoch better on validation than all before it; they change afterwards. */
	readonly onBetter?: (parameters: Float32Array) => Promise<void>;
}
