import { shellWord } from "../format.ts";
import { readMetrics, readRunResult } from "../run-folder/result-files.ts";
import { isFinishedRun, readRunConfig } from "../run-folder/run-folder.ts";
import { isInUse } from "../run-folder/run-lock.ts";
import { type DashboardState, INITIAL_STATE } from "./dashboard-state.ts";
import { reduceEvent } from "./reduce-event.ts";

/**
 * Reads the state of a run from its folder, without its process.
 * @throws TailtuneError "not-found" or "data" that names the file
 */
export async function readRunState(folder: string): Promise<DashboardState> {
	const [config, metrics] = await Promise.all([readRunConfig(folder), readMetrics(folder)]);
	const started = reduceEvent(INITIAL_STATE, { event: "run-started", folder, config, metrics });
	if (await isFinishedRun(folder))
		return reduceEvent(started, { event: "result", folder, ...(await readRunResult(folder)) });
	const { epoch = 0, seconds = 0 } = metrics.at(-1) ?? {};
	const isRunning = isInUse(folder);
	const phase = { name: "training", unit: "epochs", done: epoch, total: config.epochs, seconds, secondsLeft: null };
	const message = `interrupted; to resume: npx tailtune train --resume ${shellWord(folder)}`;
	return {
		...started,
		phases: [{ ...phase, state: isRunning ? "running" : "failed" }],
		end: isRunning ? null : { state: "stopped", message },
	};
}
