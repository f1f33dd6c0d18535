import { describeWorker } from "../../shared/describe-worker.ts";
import type { RunEvent } from "../events/schemas.ts";

type WorkerEvent = Extract<RunEvent, { event: "worker-joined" | "worker-left" | "worker-suspended" }>;

/** A worker that joined or left, and how many of the shards each worker has now. */
export function workersLine(event: WorkerEvent): string {
	const { worker, shards, totalShards } = event;
	const shares = Object.entries(shards).map(([id, held]) => `${shortName(id)} has ${held.length}`);
	const share = shares.length > 0 ? `; of ${totalShards} shards ${shares.join(", ")}` : "";
	return `worker ${shortName(worker.workerId)} ${changeOf(event)}${share}`;
}

function changeOf(event: WorkerEvent): string {
	if (event.event === "worker-joined") return `joined: ${describeWorker(event.worker)}`;
	return `left (${event.reason === "idle" ? "takes no items" : event.reason})`;
}

/** A host's name and the beginning of the random id behind it. */
function shortName(workerId: string): string {
	return workerId.replace(/(-[0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f-]{22}$/, "$1");
}
