import { countPhysicalCores } from "../vectors/physical-cores.ts";
import type { TrainConfig } from "./config.ts";
import { featureMemoryBytes } from "./feature-memory.ts";

/** Returns the flags of each worker on this machine: cores and memory for features are divided among the workers. */
export function sharedWorkerFlags(
	{ engine, backend, threads, featureMemory }: Pick<TrainConfig, "engine" | "backend" | "threads" | "featureMemory">,
	workers: number,
): string[] {
	const each = threads ?? Math.max(1, Math.floor(countPhysicalCores() / workers));
	const memory = Math.floor(featureMemoryBytes(featureMemory) / workers);
	const flags = { engine, backend, threads: each, "feature-memory": memory };
	return Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
}
