import type { WorkerInfo } from "./messages.ts";

/** What a worker computes with: engine, backend and their versions, threads, and the device with its memory. */
export function describeWorker({ trunkEngine, version, threads, device }: WorkerInfo): string {
	return `${trunkEngine} (${version}), ${threads} ${threads === 1 ? "thread" : "threads"}, ${device}`;
}
