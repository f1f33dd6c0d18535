import { join } from "node:path";
import { openEmbeddedCluster } from "../../../coordinator/cluster/embedded-cluster.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { resume, train } from "../../../coordinator/training/train.ts";
import type { TrainOptions } from "../../../coordinator/training/train-options.ts";
import type { TrainConfig } from "../../../shared/settings/config.ts";
import { resolveConfig } from "../../../shared/settings/resolve-config.ts";
import { startWorker } from "../../../worker/run/lifecycle.ts";
import { newFolder } from "../../new-folder.ts";

const workerSide = { startWorker, inspectEngines: async () => [], addWorkerCommand: () => {} };

/** Stops a run after its second epoch. */
function environment(openCluster: TrainOptions["openCluster"]): TrainOptions {
	const interrupt = new AbortController();
	const events = new RunEvents();
	events.listen((event) => {
		if (event.event === "epoch" && event.epoch === 2) interrupt.abort();
	});
	return { openCluster, events, interrupt: interrupt.signal };
}

/** Trains until one step of the third epoch, and returns the run's folder. @param settings data and changed settings */
export async function interruptedRun(settings: Partial<TrainConfig>): Promise<string> {
	const out = join(await newFolder(), "run");
	const defaults = { out, model: "demo", epochs: 3, lr: 1e-3, threads: 1, featureCache: 0, evalEvery: 5 };
	const config = await resolveConfig({ ...defaults, ...settings });
	const running = train(
		config,
		environment((run) => openEmbeddedCluster(workerSide, run)),
	);
	await running.catch(({ code }) => {
		if (code !== "interrupted") throw new Error(`expected a run to be stopped, found ${code}`);
	});
	return out;
}

/** Outcome of `resumeOutcome` if the run is resumed. */
export const RESUMED = "resumed";

/** Resumes a run up to the opening of its workers. Returns `RESUMED`, or the error's message. */
export async function resumeOutcome(folder: string): Promise<string> {
	return resume(
		folder,
		environment(() => Promise.reject(new Error(RESUMED))),
	).then(
		() => "finished",
		({ message }) => message,
	);
}
