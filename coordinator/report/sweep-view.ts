import type { SweepState, TrialResult } from "../events/sweep-schema.ts";
import type { Metric } from "../metrics/best-score.ts";

/** Validation scores of a trial at the ends of its epochs. */
export interface TrialCurve {
	/** Folder of the trial. */
	readonly folder: string;
	readonly points: readonly { readonly epoch: number; readonly score: number }[];
}

/** A sweep, as its report and its page in the dashboard show it. */
export interface SweepView {
	readonly state: SweepState;
	/** Metric of the scores. */
	readonly metric: Metric;
	/** Curves of the trials in `listDrawnTrials`. */
	readonly curves: readonly TrialCurve[];
	/** Folders of the trials that are trained now. */
	readonly running: readonly string[];
	/** Returns the address of the page of a trial; undefined if it has none. */
	readonly linkOf: (trial: TrialResult) => string | undefined;
}
