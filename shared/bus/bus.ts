import { TailtuneError } from "../errors.ts";
import type { RunProgress, RunSpec, WorkerInfo, WorkItem } from "../messages.ts";

/** Time-outs of a bus, in milliseconds; both are Infinity on a bus that is local. */
export interface BusTiming {
	/** An item not acknowledged for so long is delivered again. */
	readonly ackWaitMs: number;
	/** A worker without a beat for so long is dropped as silent. */
	readonly heartbeatLimitMs: number;
}

/**
 * One delivery of an item. Until `ack`, the item comes back: after `nak` at once, else when the ack wait is over.
 * An `ack` counts whenever it comes, also after the item was delivered again.
 */
export interface Delivery {
	readonly item: WorkItem;
	ack(): Promise<void>;
	nak(): Promise<void>;
	/** Says that the item is still being worked on: starts the ack wait anew. */
	working(): Promise<void>;
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

/** A run as it stands, for whoever asks. */
export interface RunView {
	readonly spec: RunSpec;
	readonly assignments: readonly Assignment[];
	/** What its coordinator told last; undefined where nothing was heard of it for the heartbeat limit. */
	readonly progress: RunProgress | undefined;
}

/** A worker's place in the registry; without a beat for the heartbeat limit it is dropped as silent. */
export interface Membership {
	/** A beat of a worker that was dropped lets it join again. */
	beat(): Promise<void>;
	leave(): Promise<void>;
}

/**
 * How coordinator and workers find each other, and how items get to workers; answers go directly to the coordinator. Two
 * adapters keep the same promises, held by one conformance suite: in memory, and NATS.
 *
 * Every `watch` begins with its loop: it replays what holds now, then follows changes, and ends when `signal`
 * aborts, the bus closes or, where it is of one run, the run is retired (at once where there is no such run).
 * Items are delivered at least once: the coordinator counts one answer to each.
 *
 * What sends rejects with TailtuneError "protocol" where the run is not announced, the shard is not one of the run's,
 * or the bus is closed.
 */
export interface Bus {
	readonly timing: BusTiming;
	/**
	 * Whether coordinator and worker share this process: the worker is the only one, nothing is delivered twice, and a second try
	 * would fail like the first.
	 */
	readonly isLocal: boolean;

	// Registry of workers.
	join(worker: WorkerInfo): Promise<Membership>;
	watchWorkers(signal: AbortSignal): AsyncIterable<WorkerEvent>;
	/** The workers that are there now. */
	listWorkers(): Promise<WorkerInfo[]>;

	// Runs.
	/** Announcing the same run again changes nothing; another one of its id is refused with "protocol". */
	announce(run: RunSpec): Promise<void>;
	/** Ends a run: its items and assignments are forgotten. Nothing happens if there is no such run. */
	retire(runId: string): Promise<void>;
	watchRuns(signal: AbortSignal): AsyncIterable<RunChange>;
	/** The runs that are announced now. */
	listRuns(): Promise<RunView[]>;

	// What people ask and tell a run.
	/** Tells how far a run has come; the last word holds for the heartbeat limit. Left out where nobody can be told. */
	report(progress: RunProgress): Promise<void>;
	/**
	 * Asks the coordinator of a run to stop it.
	 * @throws TailtuneError "offline" where no coordinator listens for that, "protocol" as all that sends
	 */
	cancel(runId: string): Promise<void>;
	/**
	 * One for each time that somebody asks the run to stop; what was asked before isn't replayed.
	 * @throws TailtuneError "protocol" if the run was announced here and somebody else retires it or takes it over
	 */
	watchCancels(runId: string, signal: AbortSignal): AsyncIterable<"cancel">;

	// Who works on which shard; the last assignment of a shard holds.
	assign(assignment: Assignment): Promise<void>;
	watchAssignments(runId: string, signal: AbortSignal): AsyncIterable<Assignment>;

	// Work.
	/**
	 * Resolves when the item is stored. If it is lost later, the bus publishes it again, until `answered` aborts.
	 * @param answered aborts when the item waits no longer
	 */
	publish(item: WorkItem, answered: AbortSignal): Promise<void>;
	/**
	 * Items of a shard, in the order published, one at a time: the next one is fetched when the loop asks for it, and
	 * comes when the one before it is acknowledged, whoever pulls.
	 */
	pull(runId: string, shard: number, signal: AbortSignal): AsyncIterable<Delivery>;
	/**
	 * Takes the item of a shard away from whoever has it in hand, as from a worker found dead: it comes again at once.
	 * An ack that still comes counts. Nothing happens if nobody has one.
	 */
	takeBack(runId: string, shard: number): Promise<void>;
	/**
	 * Whether somebody works on the item that is due in a shard: has taken it and says so. Undefined if no item is due, or if
	 * that can't be told now.
	 */
	isTaken(runId: string, shard: number): Promise<boolean | undefined>;

	/** Ends every watch; the bus is of no use afterwards. */
	close(): Promise<void>;
}

/** What `cancel` fails with where the run is there and its coordinator isn't. */
export function nobodyListens(runId: string): TailtuneError {
	return new TailtuneError("offline", `run ${runId}: its coordinator doesn't answer`);
}
