import type { WorkerActivity } from "../events/detailed-events.ts";
import type { MetricsLine, RunResult } from "../run-folder/result.ts";
import type { SpeedSample } from "./speed.ts";
import { type Curve, EMPTY_CURVE } from "./thin-curve.ts";

/** Name and settings of the run. */
export interface RunHead {
	readonly folder: string;
	readonly name: string;
	readonly model: string;
	readonly data: string;
	readonly epochs: number;
	/** Settings that differ from the defaults, as flags and values. */
	readonly settings: readonly (readonly [flag: string, value: string])[];
}

/** A phase that runs or has ended. */
export interface PhaseView {
	readonly name: string;
	readonly unit: string;
	readonly done: number;
	readonly total: number;
	readonly seconds: number;
	readonly secondsLeft: number | null;
	readonly state: "running" | "done" | "failed";
}

/** Names of the curves: a set, the kind of its evaluations and a measure; "epochs": numbers of epochs at their ends. */
export const CURVE_NAMES = [
	"train step loss",
	"train epoch loss",
	"validation step loss",
	"validation epoch loss",
	"train step accuracy",
	"train epoch accuracy",
	"validation step accuracy",
	"validation epoch accuracy",
	"steps loss",
	"epochs",
] as const;

export type CurveName = (typeof CURVE_NAMES)[number];

/** A worker and how busy it was. */
export interface WorkerView extends Omit<WorkerActivity, "worker"> {
	readonly id: string;
	/** Engine and processor, for people. */
	readonly device: string;
	/**
	 * One character per second, the last one now: a digit is the share of the second in which it computed, in ninths;
	 * otherwise s: silent, x: suspended, l: left.
	 */
	readonly lane: string;
}

/** A problem that a person can do something about. */
export interface Problem {
	readonly text: string;
	readonly advice: string;
}

/** How the run ended. */
export type RunEnd =
	| { readonly state: "finished"; readonly result: RunResult }
	| { readonly state: "stopped" | "failed"; readonly message: string };

/** Everything that the page shows, bounded in size. */
export interface DashboardState {
	readonly run: RunHead | null;
	readonly phases: readonly PhaseView[];
	readonly curves: Readonly<Record<CurveName, Curve>>;
	/** The evaluation at the end of the last epoch. */
	readonly epoch: MetricsLine | null;
	/** Steps and training texts of the last seconds. */
	readonly pace: readonly SpeedSample[];
	/** Bytes to and from the workers of the last seconds. */
	readonly traffic: readonly SpeedSample[];
	readonly workers: readonly WorkerView[];
	/** Time of the last report of workers, on a monotonic clock. */
	readonly workersAt: number | null;
	/** Problems that last. */
	readonly notices: readonly Problem[];
	readonly warnings: readonly string[];
	readonly end: RunEnd | null;
}

/** The state before the first event. */
export const INITIAL_STATE: DashboardState = {
	run: null,
	phases: [],
	curves: Object.fromEntries(CURVE_NAMES.map((name) => [name, EMPTY_CURVE])) as Record<CurveName, Curve>,
	epoch: null,
	pace: [],
	traffic: [],
	workers: [],
	workersAt: null,
	notices: [],
	warnings: [],
	end: null,
};
