import type { TrialResult } from "../events/sweep-schema.ts";
import { type Metric, scoreOf } from "../metrics/best-score.ts";
import { findBestEpoch } from "../run-folder/find-best-epoch.ts";
import type { MetricsLine, RunResult } from "../run-folder/result.ts";
import { readMetrics } from "../run-folder/result-files.ts";
import { resultScore } from "../run-folder/result-scores.ts";
import { readRunConfig } from "../run-folder/run-folder.ts";

/** Score and time of a trial, and the metric of the score. */
export type TrialMeasures = Pick<TrialResult, "score" | "seconds" | "preparation"> & { readonly metric: Metric };

/** Measures a finished trial. @param path folder of its run @param metric default: the one of the run */
export async function measureFinishedTrial(
	path: string,
	result: RunResult,
	metric = result.kept.metric,
): Promise<TrialMeasures> {
	const score = resultScore(metric, result, "validation");
	return { metric, score, seconds: result.seconds.total, ...preparationOf(await readMetrics(path, 1)) };
}

/** Measures a trial that is paused: as if it had ended now, with the epoch that it would keep. */
export async function measurePausedTrial(path: string, sweepMetric: Metric | null): Promise<TrialMeasures> {
	const [lines, config] = await Promise.all([readMetrics(path), readRunConfig(path)]);
	const metric = sweepMetric ?? config.metric ?? "accuracy";
	const last = lines.findLast(({ kind }) => kind === "epoch");
	const kept = config.keep === "last" ? last : findBestEpoch(lines, config.metric ?? metric);
	const score = kept ? scoreOf(metric, kept.validation) : null;
	return { metric, score, seconds: lines.at(-1)?.seconds ?? 0, ...preparationOf(lines) };
}

/** The first evaluation is before the first step. */
function preparationOf([first]: readonly MetricsLine[]): Pick<TrialResult, "preparation"> {
	return first ? { preparation: first.seconds } : {};
}
