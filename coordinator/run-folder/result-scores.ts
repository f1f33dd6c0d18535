import { type Metric, scoreOf } from "../metrics/best-score.ts";
import type { RunResult } from "./result.ts";

/** Returns the score of a run on one of its sets. An undefined MCC counts as 0. */
export function resultScore(metric: Metric, result: RunResult, set: keyof RunResult["accuracy"]): number {
	const { accuracy, balancedAccuracy, macroF1, mcc, loss } = result;
	return scoreOf(metric, {
		accuracy: accuracy[set],
		balancedAccuracy: balancedAccuracy[set],
		macroF1: macroF1[set],
		mcc: mcc[set],
		loss: loss[set],
	});
}
