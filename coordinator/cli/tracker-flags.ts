import type { Command } from "commander";
import type { RunEvents } from "../events/run-events.ts";
import type { Tracker } from "../tracking/tracker.ts";

/** Values of the flags of trackers. */
export interface TrackerFlags {
	readonly tensorboard?: string;
	readonly mlflow?: string;
}

/** Adds the flags of programs that record the curves of runs. */
export function addTrackerFlags(command: Command): Command {
	return command
		.option(
			"--tensorboard <folder>",
			"also write the curves, the settings and the test scores for TensorBoard, into one folder per run",
		)
		.option(
			"--mlflow <url>",
			"also send the curves, the settings and the test scores to this MLflow server, for example http://127.0.0.1:5000",
		);
}

/**
 * Runs some work, and records the runs of its events as the flags ask.
 * @param parent names of runs are relative to this folder; default: the folder that holds the run
 */
export async function runTracked(
	flags: TrackerFlags,
	events: RunEvents,
	work: () => Promise<void>,
	parent?: string,
): Promise<void> {
	const ended = new AbortController();
	const trackers = await openTrackers(flags, ended.signal);
	if (trackers.length === 0) return work();
	const { trackRuns } = await import("../tracking/track-runs.ts");
	const trackings = trackers.map((tracker) => trackRuns(events, tracker, parent));
	const close = async (error?: unknown) => {
		await Promise.all(trackings.map((tracking) => tracking.close(error)));
		ended.abort();
	};
	return work().then(close, async (error) => {
		await close(error);
		throw error;
	});
}

/** Opens the trackers of the flags. @throws TailtuneError that names the flag, if one can't be used */
export async function openTrackers({ tensorboard, mlflow }: TrackerFlags, signal: AbortSignal): Promise<Tracker[]> {
	const trackers: Tracker[] = [];
	if (mlflow !== undefined) trackers.push((await import("../tracking/mlflow.ts")).openMlflow(mlflow, signal));
	if (tensorboard !== undefined)
		trackers.push(await (await import("../tracking/tensorboard.ts")).openTensorBoard(tensorboard));
	return trackers;
}
