import { countPhysicalCores } from "../vectors/physical-cores.ts";
import type { TrainConfig } from "./config.ts";
import { featureMemoryBytes } from "./feature-memory.ts";
import { WORKER_SETTINGS } from "./flags.ts";
import { flagOf } from "./resolve-config.ts";

/** Settings of a worker, with the flags of the same names. */
export type WorkerSettings = Pick<TrainConfig, (typeof WORKER_SETTINGS)[number]>;

/**
 * Returns the flags of each worker on this machine. Cores and memory for features are divided among the workers; the
 * features on disk are the same files for all of them.
 */
export function sharedWorkerFlags(settings: WorkerSettings, workers: number): string[] {
	const threads = settings.threads ?? Math.max(1, Math.floor(countPhysicalCores() / workers));
	const featureMemory = Math.floor(featureMemoryBytes(settings.featureMemory) / workers);
	const own = { ...settings, threads, featureMemory };
	return WORKER_SETTINGS.flatMap((key) => (own[key] === undefined ? [] : [flagOf(key), String(own[key])]));
}
