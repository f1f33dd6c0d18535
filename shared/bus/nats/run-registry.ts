import { headers } from "nats";
import { realClock } from "../../clock.ts";
import { TailtuneError } from "../../errors.ts";
import { type RunSpec, runSpecCodec } from "../../messages.ts";
import type { Assignment, RunChange } from "../bus.ts";
import { Feed } from "../feed.ts";
import { RETIRED_KEPT, RETIRED_KNOWN } from "./config.ts";
import type { NatsLink } from "./connection.ts";
import { BucketFollower } from "./follow.ts";
import type { BucketEntry, BucketReader } from "./reading.ts";
import { type Entry, expectId, type NatsStreams, OPERATION_HEADER } from "./streams.ts";
import { decodeToken, type NatsNames } from "./subjects.ts";

const QUEUE_HEADER = "Tailtune-Queue";

/** The entry of a run in the bucket. */
export interface RunRecord {
	readonly runId: string;
	readonly spec: Uint8Array;
	readonly shards: number;
	/** Name of the run's present queue; part of its subjects and of the names of its consumers. */
	readonly queue: string;
}

/** A run that is announced and not retired, as far as this process knows. */
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

	/** The present queue, and a signal that aborts when another queue replaces it. */
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

export interface RunRegistryParts {
	readonly link: NatsLink;
	readonly names: NatsNames;
	readonly streams: NatsStreams;
	readonly inboxPrefix: string;
	/** Time in ms in which its coordinator can restore a run whose entry was lost; then the run is dropped. */
	readonly graceMs: number;
	/** Counts and logs an entry that can't be decoded. */
	readonly refuse: (entry: string, error: unknown) => void;
}

/** This process's copy of the bucket of runs, updated in the order of the bucket's stream. */
export class RunRegistry implements BucketReader {
	readonly runs = new Feed<KnownRun, RunChange>(({ record }) => ({
		type: "announced",
		run: runSpecCodec.decode(record.spec),
	}));
	readonly #parts: RunRegistryParts;
	readonly #follower: BucketFollower;
	/** By run: the sequence number of the entry that marks it as retired, oldest first. */
	readonly #retired = new Map<string, number>();
	/** By run whose entry was lost: a function that stops the timer of `graceMs`. */
	readonly #graceTimers = new Map<string, () => void>();

	constructor(parts: RunRegistryParts) {
		const { link, names, inboxPrefix, graceMs } = parts;
		const options = { stream: names.runsStream, subjects: names.runsKeys, heartbeatMs: graceMs / 2, inboxPrefix };
		this.#parts = parts;
		this.#follower = new BucketFollower(link, options, this);
	}

	/** Starts reading the bucket; settles when all its present entries are known. */
	start(): Promise<void> {
		return this.#follower.start();
	}

	/** Waits until the entry with this sequence number is known here. */
	reach(seq: number, signal: AbortSignal): Promise<void> {
		return this.#follower.reach(seq, signal);
	}

	/** Returns a run as the bucket contains it now. */
	async refresh(runId: string): Promise<KnownRun | undefined> {
		await this.#reachLast(this.#parts.names.run(runId));
		return this.runs.get(runId);
	}

	/** Waits until all present entries of the bucket are known. */
	refreshAll(): Promise<void> {
		return this.#reachLast(this.#parts.names.runsKeys);
	}

	async #reachLast(keys: string): Promise<void> {
		const { link, names, streams } = this.#parts;
		const entry = await link.persist(() => streams.last(names.runsStream, keys));
		if (entry) await this.reach(entry.seq, link.closed);
	}

	/** Reads the entry of a run from the server; undefined if there is none or it can't be decoded. */
	async read(runId: string): Promise<RunRecord | "retired" | undefined> {
		const { names, streams } = this.#parts;
		const entry = await streams.last(names.runsStream, names.run(runId));
		return entry && this.#decode(runId, entry);
	}

	/** Removes the oldest entries of retired runs, so that their number stays bounded. */
	async removeOldMarks(): Promise<void> {
		const { names, streams } = this.#parts;
		const old = [...this.#retired].slice(0, Math.max(0, this.#retired.size - RETIRED_KEPT));
		await Promise.all(
			old.map(async ([runId, seq]) => {
				await streams.purge(names.runsStream, names.run(runId), seq);
				if (this.#retired.get(runId) === seq) this.#retired.delete(runId);
			}),
		);
	}

	/** Processes the runs first: the entry of a run that was announced again is stored after its assignments. */
	onSnapshot(entries: readonly BucketEntry[]): void {
		const known = [...this.runs.values].map(({ record }) => record.runId);
		const keys = entries.map((entry) => ({ entry, ...this.#parse(entry) }));
		const present = new Set<string>();
		this.#retired.clear();
		for (const { entry, runId, shard } of keys) {
			if (runId === undefined || shard !== undefined) continue;
			present.add(runId);
			this.#onRunChanged(runId, entry);
		}
		for (const runId of known) if (!present.has(runId)) this.#startGraceTimer(runId);
		for (const { entry, runId, shard } of keys)
			if (runId !== undefined && shard !== undefined) this.#onAssignmentChanged(runId, shard, entry);
	}

	onKeyChanged(entry: BucketEntry): void {
		const { runId, shard } = this.#parse(entry);
		if (runId === undefined) return;
		if (shard === undefined) this.#onRunChanged(runId, entry);
		else this.#onAssignmentChanged(runId, shard, entry);
	}

	end(): void {
		for (const cancel of this.#graceTimers.values()) cancel();
		for (const run of this.runs.values) run.end();
		this.runs.end();
	}

	#parse({ subject }: BucketEntry): { runId?: string; shard?: number } {
		const key = this.#parts.names.parseRunsKey(subject);
		if (key) return key;
		this.#parts.refuse(subject, new TailtuneError("protocol", "unknown key"));
		return {};
	}

	#onRunChanged(runId: string, entry: BucketEntry): void {
		const found = this.#decode(runId, entry);
		this.#retired.delete(runId);
		if (found === "retired") {
			this.#retired.set(runId, entry.seq);
			const [oldest] = this.#retired.keys();
			if (this.#retired.size > RETIRED_KNOWN && oldest !== undefined) this.#retired.delete(oldest);
			this.#forget(runId);
		} else if (found) this.#update(found);
		else if (this.runs.get(runId)) this.#startGraceTimer(runId);
	}

	#update(found: RunRecord): void {
		const { runId } = found;
		this.#stopGraceTimer(runId);
		const known = this.runs.get(runId);
		if (known && Buffer.from(known.record.spec).equals(found.spec)) {
			known.update(found);
			return;
		}
		this.#forget(runId);
		this.runs.set(runId, new KnownRun(found));
	}

	#decode(runId: string, entry: Entry): RunRecord | "retired" | undefined {
		if (entry.headers?.has(OPERATION_HEADER)) return "retired";
		try {
			return toRecord(runId, entry);
		} catch (error) {
			this.#parts.refuse(`run ${runId}`, error);
			return undefined;
		}
	}

	#onAssignmentChanged(runId: string, shard: number, { data, headers: found }: BucketEntry): void {
		const run = this.runs.get(runId);
		if (!run || found?.has(OPERATION_HEADER)) return;
		const workerId = decodeToken(Buffer.from(data).toString("latin1"));
		if (workerId === undefined || shard >= run.record.shards) {
			const reason = workerId === undefined ? `${data.length} bytes that are not a worker id` : "no such shard";
			this.#parts.refuse(`run ${runId}, assignment of shard ${shard}`, new TailtuneError("protocol", reason));
		} else if (run.assignments.get(String(shard))?.workerId !== workerId)
			run.assignments.set(String(shard), { runId, shard, workerId });
	}

	#startGraceTimer(runId: string): void {
		if (this.#graceTimers.has(runId)) return;
		const cancel = realClock.schedule(() => this.#forget(runId), this.#parts.graceMs);
		this.#graceTimers.set(runId, cancel);
	}

	#stopGraceTimer(runId: string): void {
		this.#graceTimers.get(runId)?.();
		this.#graceTimers.delete(runId);
	}

	#forget(runId: string): void {
		this.#stopGraceTimer(runId);
		const run = this.runs.get(runId);
		if (!run) return;
		run.end();
		this.runs.delete(runId, { type: "retired", runId });
	}
}

/** Headers of a run's entry. */
export function queueHeaders(queue: string) {
	const made = headers();
	made.set(QUEUE_HEADER, queue);
	return made;
}

function toRecord(runId: string, { data, headers: found }: Entry): RunRecord {
	const spec: RunSpec = runSpecCodec.decode(data);
	expectId("a specification of run", spec.runId, runId);
	const queue = found?.get(QUEUE_HEADER) ?? "";
	if (!/^\w{1,64}$/.test(queue) || spec.shards < 1)
		throw new TailtuneError("protocol", `queue "${queue}", ${spec.shards} shards, expected a name and at least one`);
	return { runId, spec: data, shards: spec.shards, queue };
}
