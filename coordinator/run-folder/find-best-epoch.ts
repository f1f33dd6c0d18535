import { isBetterScore, type Metric } from "../metrics/best-score.ts";
import type { MetricsLine } from "./result.ts";

/** Finds the evaluation of the epoch that is best on validation. @returns undefined if no epoch has ended */
export function findBestEpoch(lines: readonly MetricsLine[], metric: Metric): MetricsLine | undefined {
	let best: MetricsLine | undefined;
	for (const line of lines)
		if (line.kind === "epoch" && isBetterScore(metric, best?.validation, line.validation)) best = line;
	return best;
}
