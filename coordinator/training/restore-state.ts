import { keepLines } from "../run-folder/result-files.ts";
import { checkProgress } from "./check-progress.ts";
import { readCheckpoint, type StateShape, type TrainingState } from "./checkpoint.ts";
import type { RunContext } from "./run-context.ts";

/**
 * Reads the state of an interrupted run from its last checkpoint, and removes newer lines of its metrics and audit.
 * @param fingerprint identifies data, model and settings of the run
 * @returns undefined if the run has no checkpoint yet
 * @throws TailtuneError as `readCheckpoint` and `checkProgress`, or "disk"
 */
export async function restoreState(
	folder: string,
	fingerprint: string,
	shape: StateShape,
	run: Pick<RunContext, "config" | "texts" | "tail">,
): Promise<TrainingState | undefined> {
	const state = await readCheckpoint(folder, fingerprint, shape);
	if (state) await checkProgress(folder, state.progress, run);
	await keepLines(folder, { metrics: state?.progress.metricsLines ?? 0, steps: state?.progress.step ?? 0 });
	return state;
}
