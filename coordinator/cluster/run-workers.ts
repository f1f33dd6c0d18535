import type { Bus } from "../../shared/bus/bus.ts";
import type { Clock } from "../../shared/clock.ts";
import type { RunSpec, WorkerInfo } from "../../shared/messages.ts";
import { SUSPENSION_FIRST_MS, SUSPENSION_LONGEST_MS } from "../deadlines.ts";
import { assignToWorkers, type Holders, shardsByWorker } from "./assign-to-workers.ts";
import type { RunEngine } from "./run-engine.ts";
import { WorkerSpeeds } from "./worker-speeds.ts";

/**
 * Reasons why a worker loses its shards: it shut down, sent no heartbeat, lost its connection, reported a fault, or
 * takes no items. After the last three it gets shards again, after some time or as soon as it works.
 */
export type LeaveReason = "shut-down" | "no-heartbeat" | "disconnected" | "failing" | "idle";

/** A change of a run's workers, reported after the shards were assigned again. */
export type WorkersChange = {
	readonly worker: WorkerInfo;
	/** Shards by the id of the worker that has them now; empty if there are no workers. */
	readonly shards: ReadonlyMap<string, readonly number[]>;
} & ({ readonly type: "joined" } | ({ readonly type: "left" } & Leave));

/** Why a worker loses its shards, with its own message if it reported a fault. */
export interface Leave {
	readonly reason: LeaveReason;
	readonly detail?: string | undefined;
}

export interface RunWorkersParts {
	readonly bus: Bus;
	readonly run: RunSpec;
	readonly clock: Clock;
	readonly onWorkers: (change: WorkersChange) => void;
	/** Called for each shard that moves to another worker. */
	readonly onMoved: (shard: number) => void;
	readonly onError: (error: Error) => void;
	/** Decides which workers take part. */
	readonly engine: RunEngine;
}

interface Member {
	/** Faults since its last answer; the workers with the fewest get the shards. */
	faults: number;
	/** Number of suspensions since its last answer; each one lasts longer. */
	suspensions: number;
	/** Number of suspensions because it took no items; answers to other items don't clear them. */
	idles: number;
	/** Its connection is broken: answers that still arrive are older and don't reinstate it. */
	isDisconnected: boolean;
	cancelReinstatement: () => void;
}

/** The workers of a run and the shards of each. */
export class RunWorkers {
	/** All workers that have taken part, by id. */
	readonly workers = new Map<string, WorkerInfo>();
	readonly speeds = new WorkerSpeeds();
	readonly #parts: RunWorkersParts;
	readonly #members = new Map<string, Member>();
	/** The members that may hold shards. */
	#eligible: ReadonlySet<string> = new Set();
	#holders: Holders;
	/** For each shard, the worker that it was assigned to on the bus. */
	readonly #assigned: (string | undefined)[];
	/** Shards whose delivered item must be taken back before they are assigned. */
	readonly #shardsToTakeBack = new Set<number>();
	#isSending = false;

	constructor(parts: RunWorkersParts) {
		this.#parts = parts;
		this.#holders = Array.from({ length: parts.run.shards });
		this.#assigned = Array.from({ length: parts.run.shards });
	}

	/** For each shard, the id of its worker; undefined if there are no workers. */
	get holders(): Holders {
		return this.#holders;
	}

	/** Ids of the workers present, suspended or not. */
	get present(): Iterable<string> {
		return this.#members.keys();
	}

	/** Adds a worker that joined and assigns shards to it, unless its engine is not the run's. */
	join(worker: WorkerInfo): void {
		if (!this.#parts.engine.accepts(worker)) return;
		this.#members.get(worker.workerId)?.cancelReinstatement();
		this.workers.set(worker.workerId, worker);
		this.#members.set(worker.workerId, {
			faults: 0,
			suspensions: 0,
			idles: 0,
			isDisconnected: false,
			cancelReinstatement: () => {},
		});
		this.#assign();
	}

	/** Removes a worker. If it sent no heartbeat, its items go to other workers at once. */
	leave(workerId: string, reason: "shut-down" | "no-heartbeat"): void {
		this.#members.get(workerId)?.cancelReinstatement();
		if (!this.#members.delete(workerId)) return;
		if (reason === "no-heartbeat") this.#takeBackFrom(workerId);
		this.#assign({ reason });
	}

	/** Moves a worker's shards to others, if there are any with no more faults, and reinstates it after some time. */
	suspend(workerId: string, leave: Leave & { readonly reason: "disconnected" | "failing" | "idle" }): void {
		const member = this.#members.get(workerId);
		if (!member) return;
		member.faults++;
		member.isDisconnected ||= leave.reason === "disconnected";
		if (leave.reason === "idle") member.idles++;
		const ms = Math.min(SUSPENSION_FIRST_MS * 2 ** member.suspensions++, SUSPENSION_LONGEST_MS);
		member.cancelReinstatement();
		member.cancelReinstatement = this.#parts.clock.schedule(() => this.#reinstate(member), ms);
		if (leave.reason === "disconnected") this.#takeBackFrom(workerId);
		this.#assign(leave);
	}

	/**
	 * Suspends a worker that takes no items of a shard. If there is no other worker, the shard is assigned to it again.
	 */
	suspendIdle(shard: number, workerId: string): void {
		this.#assigned[shard] = undefined;
		this.suspend(workerId, { reason: "idle", detail: `it takes no items of shard ${shard}` });
	}

	/** Records an answer of a worker, which reinstates it. */
	recordWork(workerId: string): void {
		const member = this.#members.get(workerId);
		if (!member || member.suspensions <= member.idles || member.isDisconnected) return;
		member.suspensions = member.idles;
		this.#reinstate(member);
	}

	/** Records that a worker has connected, which reinstates it if its connection was broken. */
	recordConnection(workerId: string): void {
		const member = this.#members.get(workerId);
		if (member?.isDisconnected) this.#reinstate(member);
	}

	/** Cancels all timers. */
	end(): void {
		for (const { cancelReinstatement } of this.#members.values()) cancelReinstatement();
		this.#members.clear();
	}

	#reinstate(member: Member): void {
		member.cancelReinstatement();
		member.faults = 0;
		member.isDisconnected = false;
		this.#assign();
	}

	#takeBackFrom(workerId: string): void {
		for (const [shard, holder] of this.#holders.entries()) if (holder === workerId) this.#shardsToTakeBack.add(shard);
	}

	/**
	 * Assigns the shards to the workers with the fewest faults and reports the changes.
	 * @param leave why workers are no longer eligible; default: they have more faults than others
	 */
	#assign(leave: Leave = { reason: "failing" }): void {
		const before = this.#eligible;
		const fewest = Math.min(...[...this.#members.values()].map(({ faults }) => faults));
		const eligible = [...this.#members].filter(([, { faults }]) => faults === fewest).map(([workerId]) => workerId);
		const speeds = new Map(eligible.map((workerId) => [workerId, this.speeds.of(workerId)]));
		this.#eligible = new Set(eligible);
		const joined = eligible.filter((workerId) => !before.has(workerId));
		const left = [...before].filter((workerId) => !this.#eligible.has(workerId));
		this.#setHolders(assignToWorkers(this.#holders, speeds));
		for (const workerId of left) this.#report({ type: "left", ...leave }, workerId);
		for (const workerId of joined) {
			this.#setHolders(assignToWorkers(this.#holders, speeds, workerId));
			this.#report({ type: "joined" }, workerId);
		}
		if (!this.#isSending) this.#send().catch(this.#parts.onError);
	}

	#setHolders(holders: Holders): void {
		const moved = [...holders.keys()].filter((shard) => holders[shard] !== this.#holders[shard]);
		this.#holders = holders;
		for (const shard of moved) this.#parts.onMoved(shard);
	}

	#report(change: { type: "joined" } | ({ type: "left" } & Leave), workerId: string): void {
		const worker = this.workers.get(workerId);
		if (worker) this.#parts.onWorkers({ ...change, worker, shards: shardsByWorker(this.#holders) });
	}

	/** Sends the assignments to the bus one after another, so that a delayed message can't undo a later one. */
	async #send(): Promise<void> {
		const { bus, run } = this.#parts;
		const { runId } = run;
		this.#isSending = true;
		try {
			for (;;) {
				const [lost] = this.#shardsToTakeBack;
				const shard = this.#holders.findIndex((holder, i) => holder !== undefined && holder !== this.#assigned[i]);
				const workerId = this.#holders[shard];
				if (lost !== undefined) {
					this.#shardsToTakeBack.delete(lost);
					await bus.takeBack(runId, lost);
				} else if (workerId !== undefined) {
					this.#assigned[shard] = workerId;
					await bus.assign({ runId, shard, workerId });
				} else return;
			}
		} finally {
			this.#isSending = false;
		}
	}
}
