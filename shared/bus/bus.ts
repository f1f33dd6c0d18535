import type { UpdatePart } from "../../proto/gen/tailtune/v1/UpdatePart.ts";
import { TailtuneError } from "../errors.ts";
import type { RunProgress, RunSpec, WorkerInfo, WorkItem } from "../messages.ts";

/** Time-outs of a bus, in milliseconds. Both are Infinity on a local bus. */
export interface BusTiming {
	/** An item that is not acknowledged within this time is delivered again. */
	readonly ackWaitMs: number;
	/** A worker without a heartbeat for this time is dropped. */
	readonly heartbeatLimitMs: number;
}

/**
 * One delivery of an item. An item without `ack` is delivered again: at once after `nak`, otherwise after `ackWaitMs`.
 * An `ack` counts at any time, also after the item was delivered again.
 */
export interface Delivery {
	readonly item: WorkItem;
	ack(): Promise<void>;
	nak(): Promise<void>;
	/** Reports that the worker still computes the item: `ackWaitMs` starts again. */
	working(): Promise<void>;
	/**
	 * Requests the shard's next item before the loop asks for it, so that the item is delivered as soon as this one is
	 * acknowledged. Call it only when the answer is computed: a worker that hangs or fails before would get its item, or
	 * the next one, although its shard is assigned to another worker.
	 */
	requestNext(): void;
}

export type WorkerEvent =
	| { readonly type: "joined"; readonly worker: WorkerInfo }
	| { readonly type: "left"; readonly workerId: string; readonly reason: "shut-down" | "no-heartbeat" };

export type RunChange =
	| { readonly type: "announced"; readonly run: RunSpec }
	| { readonly type: "retired"; readonly runId: string };

export interface Assignment {
	readonly runId: string;
	readonly shard: number;
	readonly workerId: string;
}

/** State of a run, for the commands that list runs. */
export interface RunView {
	readonly spec: RunSpec;
	readonly assignments: readonly Assignment[];
	/** The last report of its coordinator; undefined if there was none within the heartbeat limit. */
	readonly progress: RunProgress | undefined;
}

/** A worker's entry in the registry. Without a heartbeat for `heartbeatLimitMs` the worker is dropped. */
export interface Membership {
	/** Sends a heartbeat. A worker that was dropped joins again by its next heartbeat. */
	beat(): Promise<void>;
	leave(): Promise<void>;
}

/**
 * Connects coordinator and workers: registry of workers, announcements of runs, and delivery of items. Answers go
 * directly to the coordinator, not over the bus. There are two adapters, in memory and NATS; both pass the same
 * conformance tests.
 *
 * Every `watch` starts when its loop starts. It yields the present state if there is one, then each change. It ends
 * when `signal` aborts or the bus closes. A watch of one run also ends when the run is retired, and at once if there is
 * no such run. Items are delivered at least once: the coordinator counts one answer per item.
 *
 * Methods that send, except `publishUpdate`, reject with TailtuneError "protocol" if the run is not announced, the run
 * has no such shard, or the bus is closed.
 */
export interface Bus {
	readonly timing: BusTiming;
	/**
	 * Whether coordinator and worker share this process. If so, there is one worker, no item is delivered twice, and
	 * retrying would fail in the same way.
	 */
	readonly isLocal: boolean;

	// Registry of workers.
	join(worker: WorkerInfo): Promise<Membership>;
	watchWorkers(signal: AbortSignal): AsyncIterable<WorkerEvent>;
	/** Returns the workers that are registered now. */
	listWorkers(): Promise<WorkerInfo[]>;

	// Runs.
	/**
	 * Announces a run. The same run again changes nothing; a different run with the same id is refused with "protocol".
	 */
	announce(run: RunSpec): Promise<void>;
	/** Ends a run and removes its items and assignments. Does nothing if there is no such run. */
	retire(runId: string): Promise<void>;
	watchRuns(signal: AbortSignal): AsyncIterable<RunChange>;
	/** Returns the runs that are announced now. */
	listRuns(): Promise<RunView[]>;

	// Progress of runs, and requests to stop.
	/** Publishes the progress of a run; it is valid for the heartbeat limit. Skipped if the server can't be reached. */
	report(progress: RunProgress): Promise<void>;
	/**
	 * Asks the coordinator of a run to stop it.
	 * @throws TailtuneError "offline" if no coordinator receives the request, "protocol" as all methods that send
	 */
	cancel(runId: string): Promise<void>;
	/**
	 * Yields once for each request to stop the run. Earlier requests are not replayed.
	 * @throws TailtuneError "protocol" if the run was announced here and another process retires it or takes it over
	 */
	watchCancels(runId: string, signal: AbortSignal): AsyncIterable<"cancel">;

	// Workers of the shards. The last assignment of a shard is valid.
	assign(assignment: Assignment): Promise<void>;
	watchAssignments(runId: string, signal: AbortSignal): AsyncIterable<Assignment>;

	// Work.
	/**
	 * Publishes an item; resolves when it is stored. If it is lost later, the bus publishes it again, until `answered`
	 * aborts. Then the bus acknowledges the item for its worker, whose own ack would arrive later.
	 * @param answered aborted when the item has its answer
	 */
	publish(item: WorkItem, answered: AbortSignal): Promise<void>;
	/**
	 * Yields the items of a shard in the order of publishing, one at a time. The next item is fetched when the loop asks
	 * for it. It is delivered only after the item before it is acknowledged, also if several processes pull.
	 */
	pull(runId: string, shard: number, signal: AbortSignal): AsyncIterable<Delivery>;
	/**
	 * Delivers the unacknowledged item of a shard again at once, for example after its worker died. A late ack of the
	 * former delivery still counts. Does nothing if no item is unacknowledged.
	 */
	takeBack(runId: string, shard: number): Promise<void>;
	/**
	 * Returns whether a worker has the shard's next item and reports that it computes it. Undefined if there is no item,
	 * or if the state is not known now.
	 */
	isTaken(runId: string, shard: number): Promise<boolean | undefined>;

	// Updates of a run's state.
	/**
	 * Publishes the parts of an update to all workers that watch now. Parts may be lost: nothing is stored, and nothing
	 * is sent if there is no connection or if too much is still on its way. It neither waits nor throws.
	 */
	publishUpdate(runId: string, parts: readonly UpdatePart[]): void;
	/**
	 * Yields the parts of updates that are published from now on, usually in order. If the loop is slow, later parts are
	 * dropped.
	 */
	watchUpdates(runId: string, signal: AbortSignal): AsyncIterable<UpdatePart>;

	/** Ends every watch. The bus can't be used afterwards. */
	close(): Promise<void>;
}

/** Most parts of updates that wait for a slow watcher. */
export const MOST_WAITING_PARTS = 128;

/** Returns the error of `cancel` for a run that is announced and whose coordinator doesn't answer. */
export function coordinatorOffline(runId: string): TailtuneError {
	return new TailtuneError("offline", `run ${runId}: its coordinator doesn't answer`);
}
