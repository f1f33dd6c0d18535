import { isDeepStrictEqual } from "node:util";
import type { UpdatePart } from "../../proto/gen/tailtune/v1/UpdatePart.ts";
import {
	type Assignment,
	type Bus,
	type BusTiming,
	coordinatorOffline,
	type Delivery,
	type Membership,
	MOST_WAITING_PARTS,
	type RunChange,
	type RunView,
	type WorkerEvent,
} from "../../shared/bus/bus.ts";
import { watchNothing } from "../../shared/bus/changes.ts";
import { Feed } from "../../shared/bus/feed.ts";
import { type Clock, realClock } from "../../shared/clock.ts";
import { TailtuneError } from "../../shared/errors.ts";
import {
	type RunProgress,
	type RunSpec,
	runProgressCodec,
	runSpecCodec,
	updatePartCodec,
	type WorkerInfo,
	type WorkItem,
	workerInfoCodec,
	workItemCodec,
} from "../../shared/messages.ts";
import { WorkQueue } from "./work-queue.ts";

/** Time-outs of a local bus. */
const NEVER: BusTiming = { ackWaitMs: Number.POSITIVE_INFINITY, heartbeatLimitMs: Number.POSITIVE_INFINITY };

export interface MemoryBusOptions {
	/** Time-outs as over NATS, for tests. Default: the bus is local and nothing expires. */
	readonly timing?: BusTiming;
	/** Default: real time. */
	readonly clock?: Clock;
}

/** Creates a bus within one process. Messages are encoded, as over NATS, so the two sides share no objects. */
export function createMemoryBus(options: MemoryBusOptions = {}): Bus {
	return new MemoryBus(options);
}

/** Data of an announced run. */
class Run {
	readonly spec: Uint8Array;
	readonly assignments = new Feed<Assignment, Assignment>((assignment) => ({ ...assignment }));
	readonly cancels = new Feed<never, "cancel">((event) => event);
	readonly updates = new Feed<never, UpdatePart>((part) => part, MOST_WAITING_PARTS);
	readonly shards: readonly WorkQueue[];
	#progress: Uint8Array | undefined;
	#cancelExpiry = () => {};

	constructor(spec: Uint8Array, shards: readonly WorkQueue[]) {
		this.spec = spec;
		this.shards = shards;
	}

	/** The last reported progress; undefined after its time-out. */
	get progress(): RunProgress | undefined {
		return this.#progress && runProgressCodec.decode(this.#progress);
	}

	report(progress: Uint8Array, clock: Clock, limitMs: number): void {
		this.#cancelExpiry();
		this.#progress = progress;
		this.#cancelExpiry = clock.schedule(() => {
			this.#progress = undefined;
		}, limitMs);
	}

	end(): void {
		this.#cancelExpiry();
		this.assignments.end();
		this.cancels.end();
		this.updates.end();
		for (const shard of this.shards) shard.end();
	}
}

class MemoryBus implements Bus {
	readonly timing: BusTiming;
	readonly isLocal: boolean;
	readonly #clock: Clock;
	readonly #workers = new Feed<Uint8Array, WorkerEvent>((info) => ({
		type: "joined",
		worker: workerInfoCodec.decode(info),
	}));
	readonly #runs = new Feed<Run, RunChange>(({ spec }) => ({ type: "announced", run: runSpecCodec.decode(spec) }));
	/** By worker: cancels the wait for its next heartbeat. */
	readonly #silenceWaits = new Map<string, () => void>();
	#closed = false;

	constructor({ timing, clock = realClock }: MemoryBusOptions) {
		this.timing = timing ?? NEVER;
		this.isLocal = timing === undefined;
		this.#clock = clock;
	}

	async join(worker: WorkerInfo): Promise<Membership> {
		this.#assertOpen();
		const { workerId } = worker;
		if (this.#workers.get(workerId)) throw new TailtuneError("protocol", `worker ${workerId} has already joined`);
		const info = workerInfoCodec.encode(worker);
		let left = false;
		const beat = async () => {
			this.#assertOpen();
			if (left) throw new TailtuneError("protocol", `worker ${workerId} has left`);
			if (!this.#workers.get(workerId)) this.#workers.set(workerId, info);
			this.#awaitBeat(workerId);
		};
		const leave = async () => {
			left = true;
			this.#removeWorker(workerId, "shut-down");
		};
		await beat();
		return { beat, leave };
	}

	watchWorkers(signal: AbortSignal): AsyncIterable<WorkerEvent> {
		return this.#workers.watch(signal);
	}

	async listWorkers(): Promise<WorkerInfo[]> {
		this.#assertOpen();
		return [...this.#workers.values].map(workerInfoCodec.decode);
	}

	async announce(spec: RunSpec): Promise<void> {
		this.#assertOpen();
		const known = this.#runs.get(spec.runId);
		const bytes = runSpecCodec.encode(spec);
		if (known && isDeepStrictEqual(known.spec, bytes)) return;
		if (known) throw new TailtuneError("protocol", `run ${spec.runId} is already announced with another specification`);
		const shards = Array.from({ length: spec.shards }, () => new WorkQueue(this.#clock, this.timing.ackWaitMs));
		this.#runs.set(spec.runId, new Run(bytes, shards));
	}

	async retire(runId: string): Promise<void> {
		this.#assertOpen();
		const run = this.#runs.get(runId);
		if (!run) return;
		run.end();
		this.#runs.delete(runId, { type: "retired", runId });
	}

	watchRuns(signal: AbortSignal): AsyncIterable<RunChange> {
		return this.#runs.watch(signal);
	}

	async listRuns(): Promise<RunView[]> {
		this.#assertOpen();
		return [...this.#runs.values].map(({ spec, assignments, progress }) => ({
			spec: runSpecCodec.decode(spec),
			assignments: [...assignments.values],
			progress,
		}));
	}

	async report(progress: RunProgress): Promise<void> {
		const bytes = runProgressCodec.encode(progress);
		this.#runOf(progress.runId).report(bytes, this.#clock, this.timing.heartbeatLimitMs);
	}

	async cancel(runId: string): Promise<void> {
		if (this.#runOf(runId).cancels.emit("cancel") === 0) throw coordinatorOffline(runId);
	}

	watchCancels(runId: string, signal: AbortSignal): AsyncIterable<"cancel"> {
		return this.#runs.get(runId)?.cancels.watch(signal) ?? watchNothing();
	}

	async assign(assignment: Assignment): Promise<void> {
		const { run } = this.#shardOf(assignment);
		run.assignments.set(String(assignment.shard), { ...assignment });
	}

	watchAssignments(runId: string, signal: AbortSignal): AsyncIterable<Assignment> {
		return this.#runs.get(runId)?.assignments.watch(signal) ?? watchNothing();
	}

	async publish(item: WorkItem, answered: AbortSignal): Promise<void> {
		this.#shardOf(item).queue.push(workItemCodec.encode(item), answered);
	}

	pull(runId: string, shard: number, signal: AbortSignal): AsyncIterable<Delivery> {
		return this.#runs.get(runId)?.shards[shard]?.pull(signal) ?? watchNothing();
	}

	async takeBack(runId: string, shard: number): Promise<void> {
		this.#shardOf({ runId, shard }).queue.takeBack();
	}

	async isTaken(runId: string, shard: number): Promise<boolean | undefined> {
		this.#assertOpen();
		return this.#runs.get(runId)?.shards[shard]?.isTaken;
	}

	publishUpdate(runId: string, parts: readonly UpdatePart[]): void {
		const updates = this.#runs.get(runId)?.updates;
		for (const part of parts) updates?.emit(updatePartCodec.decode(updatePartCodec.encode(part)));
	}

	watchUpdates(runId: string, signal: AbortSignal): AsyncIterable<UpdatePart> {
		return this.#runs.get(runId)?.updates.watch(signal) ?? watchNothing();
	}

	async close(): Promise<void> {
		this.#closed = true;
		for (const cancel of this.#silenceWaits.values()) cancel();
		for (const run of this.#runs.values) run.end();
		this.#workers.end();
		this.#runs.end();
	}

	#awaitBeat(workerId: string): void {
		this.#silenceWaits.get(workerId)?.();
		const drop = () => this.#removeWorker(workerId, "no-heartbeat");
		this.#silenceWaits.set(workerId, this.#clock.schedule(drop, this.timing.heartbeatLimitMs));
	}

	#removeWorker(workerId: string, reason: "shut-down" | "no-heartbeat"): void {
		if (!this.#workers.get(workerId)) return;
		this.#silenceWaits.get(workerId)?.();
		this.#silenceWaits.delete(workerId);
		this.#workers.delete(workerId, { type: "left", workerId, reason });
	}

	#runOf(runId: string): Run {
		this.#assertOpen();
		const run = this.#runs.get(runId);
		if (!run) throw new TailtuneError("protocol", `run ${runId} is not announced`);
		return run;
	}

	#shardOf({ runId, shard }: { runId: string; shard: number }): { run: Run; queue: WorkQueue } {
		const run = this.#runOf(runId);
		const queue = run.shards[shard];
		if (!queue) throw new TailtuneError("protocol", `run ${runId} has no shard ${shard}, only ${run.shards.length}`);
		return { run, queue };
	}

	#assertOpen(): void {
		if (this.#closed) throw new TailtuneError("protocol", "the bus is closed");
	}
}
