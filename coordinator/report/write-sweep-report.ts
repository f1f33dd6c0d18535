import { join } from "node:path";
import { writeFileAtomic } from "../../shared/files/write-atomic.ts";
import type { SweepState } from "../events/sweep-schema.ts";
import { type Metric, scoreOf } from "../metrics/best-score.ts";
import { readMetrics, readRunResult } from "../run-folder/result-files.ts";
import { renderSweepReport } from "./render-sweep-report.ts";
import { listDrawnTrials } from "./sweep-curves.ts";
import type { TrialCurve } from "./sweep-view.ts";

/** Name of the file in the folder of a sweep. */
const SWEEP_REPORT_FILE = "report.html";

/**
 * Writes the report of a sweep from its state and the files of its trials.
 * @param metric of the scores
 * @param best name of the folder of a finished trial
 * @throws TailtuneError "not-found" or "data" if files of trials can't be used, "disk"
 */
export async function writeSweepReport(path: string, state: SweepState, metric: Metric, best: string): Promise<void> {
	const curves = await readSweepCurves(path, state, metric);
	const { versions, commandLine } = await readRunResult(join(path, best));
	const page = renderSweepReport(state, metric, curves, { versions, commandLine });
	await writeFileAtomic(join(path, SWEEP_REPORT_FILE), page);
}

/**
 * Reads the curves of the trials that are drawn.
 * @param path folder of the sweep
 * @param running folders of the trials that are trained now
 * @throws TailtuneError "data" if files of trials can't be used
 */
export async function readSweepCurves(
	path: string,
	state: SweepState,
	metric: Metric,
	running: readonly string[] = [],
): Promise<TrialCurve[]> {
	const curves: TrialCurve[] = [];
	for (const folder of listDrawnTrials(state, running))
		curves.push({ folder, points: await readCurve(join(path, folder), metric) });
	return curves;
}

/** Reads the validation scores at the ends of the epochs. */
async function readCurve(path: string, metric: Metric): Promise<TrialCurve["points"]> {
	const ends = (await readMetrics(path)).filter(({ kind }) => kind === "epoch");
	return ends.map(({ epoch, validation }) => ({ epoch, score: scoreOf(metric, validation) }));
}
