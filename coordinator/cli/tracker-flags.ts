import type { Command } from "commander";
import type { RunEvents } from "../events/run-events.ts";
import type { Tracking } from "../tracking/track-runs.ts";

/** Values of the flags of trackers. */
export interface TrackerFlags {
	readonly tensorboard?: string;
}

/** Adds the flags of programs that record the curves of runs. */
export function addTrackerFlags(command: Command): Command {
	return command.option(
		"--tensorboard <folder>",
		"also write the curves, the settings and the test scores for TensorBoard, into one folder per run",
	);
}

/**
 * Starts to record runs as the flags ask.
 * @param parent names of runs are relative to this folder; default: the folder that holds the run
 */
export async function startTracking(
	{ tensorboard }: TrackerFlags,
	events: RunEvents,
	parent?: string,
): Promise<Tracking | undefined> {
	if (tensorboard === undefined) return undefined;
	const [{ openTensorBoard }, { trackRuns }] = await Promise.all([
		import("../tracking/tensorboard.ts"),
		import("../tracking/track-runs.ts"),
	]);
	return trackRuns(events, await openTensorBoard(tensorboard), parent);
}
