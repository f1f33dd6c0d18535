import type { TrainConfig } from "../../shared/settings/config.ts";
import { nameOfSetting } from "../events/sweep-settings.ts";

/** Numbers of a run at one step. */
export interface TrackedPoint {
	/** Optimizer steps done. */
	readonly step: number;
	/** Milliseconds since 1970 (UTC). */
	readonly time: number;
	/** By name, for example `loss/validation`. */
	readonly scalars: Readonly<Record<string, number>>;
}

/** A run that begins or is resumed. */
export interface TrackedRun {
	/** Unique in its folder of runs, for example `2026-03-14_15-09-26` or `sweep-lr-1f0c9a7b/trial-2`. */
	readonly name: string;
	/** Its folder, for example `runs/2026-03-14_15-09-26`. */
	readonly folder: string;
	readonly config: TrainConfig;
	/** Evaluations of earlier processes of the same run, up to its checkpoint. */
	readonly earlier: readonly TrackedPoint[];
}

/** How a run ended: with a result, with an error, or stopped by the user (or paused by successive halving). */
export interface TrackedEnd {
	readonly outcome: "finished" | "failed" | "interrupted";
	/** Test scores of a finished run. */
	readonly scores?: TrackedPoint;
}

/**
 * Records the curves of runs for another program. Runs follow each other: `start`, then any number of `log`, then
 * `end`. A call that failed may be repeated.
 */
export interface Tracker {
	/** For messages. */
	readonly name: string;
	/** Begins a run, or continues its curves. */
	start(run: TrackedRun): Promise<void>;
	/** Records points, in the order of their steps. */
	log(points: readonly TrackedPoint[]): Promise<void>;
	/** Ends the run. An interrupted one may be continued later. */
	end(end: TrackedEnd): Promise<void>;
}

/** Returns the settings of a run, by the names of their flags without dashes; without its name and its folder. */
export function trackedSettings({ name: _, out: __, ...config }: TrainConfig): [string, string | number | boolean][] {
	return Object.entries(config).flatMap(([key, value]) => {
		if (value === undefined) return [];
		return [[nameOfSetting(key), typeof value === "object" ? JSON.stringify(value) : value]];
	});
}
