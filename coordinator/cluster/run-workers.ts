import type { Bus } from "../../shared/bus/bus.ts";
import type { Clock } from "../../shared/clock.ts";
import type { RunSpec, WorkerInfo } from "../../shared/messages.ts";
import { SUSPENSION_FIRST_MS, SUSPENSION_LONGEST_MS } from "../deadlines.ts";
import { dealShards, type Holders, shardsByWorker } from "./assign-to-workers.ts";
import type { RunEngine } from "./run-engine.ts";
import { WorkerSpeeds } from "./worker-speeds.ts";

/**
 * Why a worker's shards go to others: it said good-bye, nothing was heard of it, its connection broke, it says that it
 * can't do its part, or it takes no items. After one of the last three it gets shards again, after a while or as soon as it
 * works.
 */
export type LeaveReason = "shut-down" | "no-heartbeat" | "disconnected" | "failing" | "idle";

/** A change among a run's workers, told when the shards have been dealt anew. */
export type WorkersChange = {
	readonly worker: WorkerInfo;
	/** Shards by the id of the worker that has them now; empty where nobody is there. */
	readonly shards: ReadonlyMap<string, readonly number[]>;
} & ({ readonly type: "joined" } | ({ readonly type: "left" } & Leave));

/** Why a worker's shards go to others, and what it says of that itself where it is failing. */
export interface Leave {
	readonly reason: LeaveReason;
	readonly detail?: string | undefined;
}

export interface CrewParts {
	readonly bus: Bus;
	readonly run: RunSpec;
	readonly clock: Clock;
	readonly onWorkers: (change: WorkersChange) => void;
	/** Told of a shard that another worker holds from now on. */
	readonly onMoved: (shard: number) => void;
	readonly onError: (error: Error) => void;
	/** Decides which workers take part. */
	readonly engine: RunEngine;
}

interface Member {
	/** Faults since it last did something; those with the fewest hold the shards. */
	faults: number;
	/** How often it was in trouble since it last did something. */
	troubles: number;
	/** How often it took no items: that it does others is no reason to trust it sooner. */
	idles: number;
	/** Its connection is broken: what it still says is of before that. */
	isDisconnected: boolean;
	cancelPardon: () => void;
}

/** The workers of a run and which shards each of them holds. */
export class Crew {
	/** Every worker that took part at some time, by id. */
	readonly workers = new Map<string, WorkerInfo>();
	readonly speeds = new WorkerSpeeds();
	readonly #parts: CrewParts;
	readonly #members = new Map<string, Member>();
	/** Those of the members that hold shards, or would. */
	#active: ReadonlySet<string> = new Set();
	#holders: Holders;
	/** Whom each shard was given to on the bus. */
	readonly #assigned: (string | undefined)[];
	/** Shards whose item in hand is to be taken back before they are assigned. */
	readonly #toTakeBack = new Set<number>();
	#isSending = false;

	constructor(parts: CrewParts) {
		this.#parts = parts;
		this.#holders = Array.from({ length: parts.run.shards });
		this.#assigned = Array.from({ length: parts.run.shards });
	}

	/** Id of the worker that holds each shard; undefined while nobody is there. */
	get holders(): Holders {
		return this.#holders;
	}

	/** The ids of the workers present, in trouble or not. */
	get present(): Iterable<string> {
		return this.#members.keys();
	}

	/** Of a worker that joined: it gets shards, unless its engine is not the run's. */
	join(worker: WorkerInfo): void {
		if (!this.#parts.engine.accepts(worker)) return;
		this.#members.get(worker.workerId)?.cancelPardon();
		this.workers.set(worker.workerId, worker);
		this.#members.set(worker.workerId, {
			faults: 0,
			troubles: 0,
			idles: 0,
			isDisconnected: false,
			cancelPardon: () => {},
		});
		this.#deal();
	}

	/** Of a worker that the bus has dropped. What a silent one had in hand runs elsewhere at once. */
	leave(workerId: string, reason: "shut-down" | "no-heartbeat"): void {
		this.#members.get(workerId)?.cancelPardon();
		if (!this.#members.delete(workerId)) return;
		if (reason === "no-heartbeat") this.#takeBackFrom(workerId);
		this.#deal({ reason });
	}

	/** Gives the shards of a worker to others, where there are any that have no more trouble than it. */
	trouble(workerId: string, leave: Leave & { readonly reason: "disconnected" | "failing" | "idle" }): void {
		const member = this.#members.get(workerId);
		if (!member) return;
		member.faults++;
		member.isDisconnected ||= leave.reason === "disconnected";
		if (leave.reason === "idle") member.idles++;
		const ms = Math.min(SUSPENSION_FIRST_MS * 2 ** member.troubles++, SUSPENSION_LONGEST_MS);
		member.cancelPardon();
		member.cancelPardon = this.#parts.clock.schedule(() => this.#pardon(member), ms);
		if (leave.reason === "disconnected") this.#takeBackFrom(workerId);
		this.#deal(leave);
	}

	/** Of a worker that takes no items of a shard: others get its shards, or, if there are none, it is told again. */
	idle(shard: number, workerId: string): void {
		this.#assigned[shard] = undefined;
		this.trouble(workerId, { reason: "idle", detail: `it takes no items of shard ${shard}` });
	}

	/** Of a worker that did something. */
	worked(workerId: string): void {
		const member = this.#members.get(workerId);
		if (!member || member.troubles <= member.idles || member.isDisconnected) return;
		member.troubles = member.idles;
		this.#pardon(member);
	}

	/** Of a worker whose connection stands. */
	connected(workerId: string): void {
		const member = this.#members.get(workerId);
		if (member?.isDisconnected) this.#pardon(member);
	}

	/** Leaves no timer behind. */
	end(): void {
		for (const { cancelPardon } of this.#members.values()) cancelPardon();
		this.#members.clear();
	}

	#pardon(member: Member): void {
		member.cancelPardon();
		member.faults = 0;
		member.isDisconnected = false;
		this.#deal();
	}

	#takeBackFrom(workerId: string): void {
		for (const [shard, holder] of this.#holders.entries()) if (holder === workerId) this.#toTakeBack.add(shard);
	}

	/** @param leave why workers are left out that were not; one with more faults than another is failing */
	#deal(leave: Leave = { reason: "failing" }): void {
		const before = this.#active;
		const fewest = Math.min(...[...this.#members.values()].map(({ faults }) => faults));
		const active = [...this.#members].filter(([, { faults }]) => faults === fewest).map(([workerId]) => workerId);
		const speeds = new Map(active.map((workerId) => [workerId, this.speeds.of(workerId)]));
		this.#active = new Set(active);
		const joined = active.filter((workerId) => !before.has(workerId));
		const left = [...before].filter((workerId) => !this.#active.has(workerId));
		this.#hold(dealShards(this.#holders, speeds));
		for (const workerId of left) this.#tell({ type: "left", ...leave }, workerId);
		for (const workerId of joined) {
			this.#hold(dealShards(this.#holders, speeds, workerId));
			this.#tell({ type: "joined" }, workerId);
		}
		if (!this.#isSending) this.#send().catch(this.#parts.onError);
	}

	#hold(holders: Holders): void {
		const moved = [...holders.keys()].filter((shard) => holders[shard] !== this.#holders[shard]);
		this.#holders = holders;
		for (const shard of moved) this.#parts.onMoved(shard);
	}

	#tell(change: { type: "joined" } | ({ type: "left" } & Leave), workerId: string): void {
		const worker = this.workers.get(workerId);
		if (worker) this.#parts.onWorkers({ ...change, worker, shards: shardsByWorker(this.#holders) });
	}

	/** Brings the bus up to date, one message after another: one that was held up must not undo a later one. */
	async #send(): Promise<void> {
		const { bus, run } = this.#parts;
		const { runId } = run;
		this.#isSending = true;
		try {
			for (;;) {
				const [lost] = this.#toTakeBack;
				const shard = this.#holders.findIndex((holder, i) => holder !== undefined && holder !== this.#assigned[i]);
				const workerId = this.#holders[shard];
				if (lost !== undefined) {
					this.#toTakeBack.delete(lost);
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
