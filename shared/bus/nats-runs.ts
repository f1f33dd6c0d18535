import { headers, type Msg } from "nats";
import { TailtuneError } from "../errors.ts";
import { type RunSpec, runSpecCodec } from "../messages.ts";
import type { Assignment, RunEvent } from "./bus.ts";
import { realClock } from "./clock.ts";
import { Feed } from "./feed.ts";
import type { NatsLink } from "./nats-connection.ts";
import { type Entry, expectId, type NatsStreams, OPERATION_HEADER } from "./nats-streams.ts";
import { decodeToken, type NatsNames } from "./nats-subjects.ts";

const QUEUE_HEADER = "Tailtune-Queue";

/** A run as it stands in the bucket. */
export interface RunRecord {
	readonly runId: string;
	readonly spec: Uint8Array;
	readonly shards: number;
	/** Name of the run's present queue, part of its subjects and consumers. */
	readonly queue: string;
}

/** A run that holds, as this process knows it. */
export class KnownRun {
	readonly assignments = new Feed<Assignment, Assignment>((assignment) => ({ ...assignment }));
	readonly #ended = new AbortController();
	#record: RunRecord;
	#replaced = new AbortController();

	constructor(record: RunRecord) {
		this.#record = record;
	}

	get record(): RunRecord {
		return this.#record;
	}

	/** Aborted when the run is retired. */
	get ended(): AbortSignal {
		return this.#ended.signal;
	}

	/** The present queue, and what is aborted when there is another one. */
	get queue(): { readonly name: string; readonly replaced: AbortSignal } {
		return { name: this.#record.queue, replaced: this.#replaced.signal };
	}

	update(record: RunRecord): void {
		const isAnother = record.queue !== this.#record.queue;
		this.#record = record;
		if (!isAnother) return;
		const replaced = this.#replaced;
		this.#replaced = new AbortController();
		replaced.abort();
	}

	end(): void {
		this.assignments.end();
		this.#ended.abort();
	}
}

/** What the mirror works with. */
export interface RunMirrorParts {
	readonly link: NatsLink;
	readonly names: NatsNames;
	readonly streams: NatsStreams;
	/** So long is waited for a run that vanished without having been retired: its coordinator brings it back. */
	readonly graceMs: number;
	/** Told of what is in the bucket and is none of ours. */
	readonly refuse: (what: string, error: unknown) => void;
}

/**
 * This process's copy of the bucket of runs. What is published to a key only hints that it changed: the entry is then
 * read from the bucket, so that the copy holds what the bucket holds, in order. After a reconnection all is read again.
 */
export class RunMirror {
	readonly runs = new Feed<KnownRun, RunEvent>(({ record }) => ({
		type: "announced",
		run: runSpecCodec.decode(record.spec),
	}));
	readonly #parts: RunMirrorParts;
	/** By run: what stops the wait for one that vanished. */
	readonly #graces = new Map<string, () => void>();
	#turn: Promise<unknown> = Promise.resolve();

	constructor(parts: RunMirrorParts) {
		this.#parts = parts;
	}

	/** Begins to follow; settles when all that holds is known. */
	async start(): Promise<void> {
		const { link, names } = this.#parts;
		link.nc.subscribe(names.runsKeys, {
			callback: (error, message) => {
				if (error) link.log(`NATS: ${error.message}`);
				else this.#hear(message);
			},
		});
		link.on("connected", () => this.#inBackground(this.#inTurn(() => this.#readAll())));
		await this.#inTurn(() => this.#readAll());
	}

	/** The run as the bucket holds it now. */
	async refresh(runId: string): Promise<KnownRun | undefined> {
		await this.#inTurn(() => this.#readRun(runId, false));
		return this.runs.get(runId);
	}

	async refreshAssignment(runId: string, shard: number): Promise<void> {
		await this.#inTurn(() => this.#readAssignment(runId, shard));
	}

	end(): void {
		for (const cancel of this.#graces.values()) cancel();
		for (const run of this.runs.facts) run.end();
		this.runs.end();
	}

	#hear(message: Msg): void {
		const key = this.#parts.names.parseRunsKey(message.subject);
		if (!key) {
			this.#parts.refuse(message.subject, new TailtuneError("protocol", "no key of ours"));
			return;
		}
		const { runId, shard } = key;
		const isDeleted = isDeletion(message);
		const read = () => (shard === undefined ? this.#readRun(runId, isDeleted) : this.#readAssignment(runId, shard));
		this.#inBackground(this.#inTurn(read));
	}

	async #readAll(): Promise<void> {
		const { names, streams } = this.#parts;
		const subjects = [...(await streams.counts(names.runsStream, names.runsKeys)).keys()];
		const keys = subjects.flatMap((subject) => names.parseRunsKey(subject) ?? []);
		const runIds = new Set(keys.map(({ runId }) => runId));
		for (const { record } of this.runs.facts) runIds.add(record.runId);
		for (const runId of runIds) await this.#readRun(runId, false);
		for (const { runId, shard } of keys) if (shard !== undefined) await this.#readAssignment(runId, shard);
	}

	/** @param isRetired whether we heard that it was; else a run that isn't there may come back */
	async #readRun(runId: string, isRetired: boolean): Promise<void> {
		const found = await this.read(runId);
		if (found === "retired" || (isRetired && !found)) return this.#forget(runId);
		const known = this.runs.get(runId);
		if (!found) return known && this.#awaitReturn(runId);
		this.#endGrace(runId);
		const isAnother = isRetired && known?.record.queue !== found.queue;
		if (known && (isAnother || !Buffer.from(known.record.spec).equals(found.spec))) this.#forget(runId);
		const same = this.runs.get(runId);
		if (same) same.update(found);
		else this.runs.set(runId, new KnownRun(found));
	}

	/** What the bucket says of a run; undefined where it says nothing, or nothing that we understand. */
	async read(runId: string): Promise<RunRecord | "retired" | undefined> {
		const { names, streams, refuse } = this.#parts;
		const entry = await streams.last(names.runsStream, names.run(runId));
		if (!entry) return undefined;
		if (entry.headers.has(OPERATION_HEADER)) return "retired";
		try {
			return toRecord(runId, entry);
		} catch (error) {
			refuse(`run ${runId}`, error);
			return undefined;
		}
	}

	async #readAssignment(runId: string, shard: number): Promise<void> {
		const { names, streams, refuse } = this.#parts;
		const run = this.runs.get(runId);
		if (!run) return;
		const entry = await streams.last(names.runsStream, names.assignment(runId, shard));
		if (!entry || entry.headers.has(OPERATION_HEADER)) return;
		const workerId = decodeToken(Buffer.from(entry.data).toString("latin1"));
		if (workerId === undefined || shard >= run.record.shards) {
			const found = workerId === undefined ? `${entry.data.length} bytes that are no worker's id` : "no such shard";
			return refuse(`run ${runId}, assignment of shard ${shard}`, new TailtuneError("protocol", found));
		}
		if (run.assignments.get(String(shard))?.workerId !== workerId)
			run.assignments.set(String(shard), { runId, shard, workerId });
	}

	#awaitReturn(runId: string): void {
		if (this.#graces.has(runId)) return;
		const giveUp = () => {
			this.#graces.delete(runId);
			this.#inBackground(this.#inTurn(() => this.#readRun(runId, true)));
		};
		this.#graces.set(runId, realClock.schedule(giveUp, this.#parts.graceMs));
	}

	#endGrace(runId: string): void {
		this.#graces.get(runId)?.();
		this.#graces.delete(runId);
	}

	#forget(runId: string): void {
		this.#endGrace(runId);
		const run = this.runs.get(runId);
		if (!run) return;
		run.end();
		this.runs.delete(runId, { type: "retired", runId });
	}

	/** One look at a time, so that an older one can't overtake a newer one. */
	#inTurn(look: () => Promise<void>): Promise<void> {
		const mine = this.#turn.then(() => this.#parts.link.persist(look));
		this.#turn = mine.catch(() => {});
		return mine;
	}

	#inBackground(look: Promise<void>): void {
		const { link } = this.#parts;
		look.catch((error) => {
			if (!link.closed.aborted) link.log(`NATS: the runs can't be read: ${error.message}`);
		});
	}
}

/** Headers of a run's entry. */
export function queueHeaders(queue: string) {
	const made = headers();
	made.set(QUEUE_HEADER, queue);
	return made;
}

function isDeletion(message: Msg): boolean {
	return message.headers?.has(OPERATION_HEADER) ?? false;
}

function toRecord(runId: string, { data, headers: found }: Entry): RunRecord {
	const spec: RunSpec = runSpecCodec.decode(data);
	expectId("a specification of run", spec.runId, runId);
	const queue = found.get(QUEUE_HEADER);
	if (!/^\w{1,64}$/.test(queue) || spec.shards < 1)
		throw new TailtuneError("protocol", `queue "${queue}", ${spec.shards} shards, expected a name and at least one`);
	return { runId, spec: data, shards: spec.shards, queue };
}
