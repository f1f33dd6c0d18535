import { describeWorker } from "../../shared/describe-worker.ts";
import type { LeaveReason, WorkersChange } from "../cluster/dispatcher.ts";

/** Reasons in words where their names don't say enough. */
const REASONS: Partial<Record<LeaveReason, string>> = { idle: "takes no items" };

/** A worker that joined or left, and who has how many of the shards now. */
export function workersLine(change: WorkersChange, shards: number): string {
	const { workerId } = change.worker;
	const what =
		change.type === "joined"
			? `joined: ${describeWorker(change.worker)}`
			: `left (${REASONS[change.reason] ?? change.reason})`;
	const shares = [...change.shards].map(([id, held]) => `${shortName(id)} has ${held.length}`);
	const share = shares.length > 0 ? `; of ${shards} shards ${shares.join(", ")}` : "";
	return `worker ${shortName(workerId)} ${what}${share}`;
}

/** A host's name and the beginning of the random id behind it. */
function shortName(workerId: string): string {
	return workerId.replace(/(-[0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f-]{22}$/, "$1");
}
