import type { WorkerInfo } from "./messages.ts";

/** Describes a worker's engine and backend with their versions, its threads, and its device with the memory. */
export function describeWorker({ trunkEngine, version, threads, device }: WorkerInfo): string {
	return `${trunkEngine} (${version}), ${threads} ${threads === 1 ? "thread" : "threads"}, ${device}`;
}
