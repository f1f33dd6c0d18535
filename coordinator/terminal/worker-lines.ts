import { describeWorker } from "../../shared/describe-worker.ts";
import type { RunEvent } from "../events/schemas.ts";

type WorkerEvent = Extract<RunEvent, { event: "worker-joined" | "worker-left" | "worker-suspended" }>;

const REASONS = {
	"shut-down": "shut down",
	"no-heartbeat": "no heartbeat",
	disconnected: "connection lost",
	failing: "reported an error",
	idle: "takes no items",
} as const;

/** Formats that a worker joined, left or was suspended, and how many shards each worker has now. */
export function workersLine(event: WorkerEvent): string {
	const { worker, shards, totalShards } = event;
	const shares = Object.entries(shards).map(([id, held]) => `${shortName(id)} ${held.length} of ${totalShards}`);
	const share = shares.length > 0 ? `; shards: ${shares.join(", ")}` : "";
	return `worker ${shortName(worker.workerId)} ${changeOf(event)}${share}`;
}

function changeOf(event: WorkerEvent): string {
	if (event.event === "worker-joined") return `joined: ${describeWorker(event.worker)}`;
	return `${event.event === "worker-left" ? "left" : "gets no work"} (${REASONS[event.reason]})`;
}

/** Shortens a worker's id to the host name and the beginning of the random part. */
function shortName(workerId: string): string {
	return workerId.replace(/(-[0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f-]{22}$/, "$1");
}
