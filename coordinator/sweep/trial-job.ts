import type { TrainConfig } from "../../shared/settings/config.ts";
import { resume, train } from "../training/train.ts";
import type { TrainOptions } from "../training/train-options.ts";

/** The run of a trial, or its part up to a rung of successive halving. */
export interface TrialJob {
	/** Folder of the run. */
	readonly path: string;
	/** Settings of a new run; undefined: the run in the folder is resumed. */
	readonly config: TrainConfig | undefined;
	/** As in `TrainOptions`. */
	readonly pauseAfter: number | undefined;
	/** Trials that aren't finished, with this one: no more can run at once. */
	readonly left: number;
}

/** What a trial needs from its sweep. */
export interface TrialHooks extends Pick<TrainOptions, "events" | "interrupt"> {
	/** As in `TrainOptions`. */
	readonly onTexts: (hash: string) => void;
	/** Called when the trial has read its inputs, with the number of trials that can now run at once. */
	readonly onBegin: (atOnce: number) => void;
}

/** Trains a trial. @throws TailtuneError as `train` and `resume`; `LostProcess` if its process died */
export type RunTrial = (job: TrialJob, hooks: TrialHooks) => Promise<void>;

/** Trains a trial in this process. */
export async function trainTrial({ path, config, pauseAfter }: TrialJob, options: TrainOptions): Promise<void> {
	const given = { ...options, pauseAfter };
	const { folder, result } = config === undefined ? await resume(path, given) : await train(config, given);
	options.events.emit({ event: "result", folder, ...result });
}
