import { TailtuneError } from "../../errors.ts";

/** Default prefix of all names of a cluster; deploy/nats/ permits exactly these names. */
const DEFAULT_PREFIX = "tailtune";

/** Role of a connection; each role has its own permissions in deploy/nats/. */
export type NatsRole = "coordinator" | "worker" | "client";

/** Longest encoded id in bytes: names of consumers and files that contain it then stay under 255 bytes. */
const LONGEST_TOKEN = 180;

/**
 * All names that Tailtune uses on a NATS server. All runs share the same streams and buckets, because permissions need
 * fixed names; each run has its own subjects.
 *
 * | name | kind | subjects |
 * |---|---|---|
 * | PREFIX-work | work-queue stream | PREFIX.work.RUN.QUEUE.SHARD |
 * | PREFIX-runs | KV bucket | run.RUN (RunSpec; header Tailtune-Queue), assign.RUN.SHARD (the worker's id) |
 * | PREFIX-workers | KV bucket, entries expire after the heartbeat limit | WORKER (WorkerInfo) |
 * | PREFIX-progress | KV bucket, entries expire after the heartbeat limit | RUN (RunProgress) |
 * | PREFIX.cancel.RUN | request, answered by the coordinator | |
 * | PREFIX.updates.RUN | parts of updates (UpdatePart), not stored | |
 *
 * QUEUE is a new random name for each new queue of a run, so that messages for an old queue can't reach the new one.
 */
export class NatsNames {
	readonly workStream: string;
	/** Names of the streams that store the buckets. */
	readonly runsStream: string;
	readonly workersStream: string;
	readonly progressStream: string;
	readonly #prefix: string;

	constructor(prefix: string = DEFAULT_PREFIX) {
		this.#prefix = prefix;
		this.workStream = `${prefix}-work`;
		this.runsStream = `KV_${prefix}-runs`;
		this.workersStream = `KV_${prefix}-workers`;
		this.progressStream = `KV_${prefix}-progress`;
	}

	/** Returns the prefix of the subjects on which a connection of this role receives replies. */
	inboxPrefix(role: NatsRole): string {
		return `${this.#prefix}.inbox.${role}`;
	}

	/** Returns the subject of items. Without a run: those of all runs. Without queue and shard: all of the run. */
	work(runId?: string, queue?: string, shard?: number): string {
		return joinSubject(this.#prefix, "work", runId, queue, shard);
	}

	run(runId: string): string {
		return joinSubject(this.#runsBucket, "run", runId, "");
	}

	assignment(runId: string, shard?: number): string {
		return joinSubject(this.#runsBucket, "assign", runId, shard);
	}

	/** All keys of the bucket of runs. */
	get runsKeys(): string {
		return `${this.#runsBucket}.>`;
	}

	worker(workerId: string): string {
		return joinSubject(`$KV.${this.#prefix}-workers`, workerId, "");
	}

	get workersKeys(): string {
		return `$KV.${this.#prefix}-workers.>`;
	}

	progress(runId: string): string {
		return joinSubject(`$KV.${this.#prefix}-progress`, runId, "");
	}

	get progressKeys(): string {
		return `$KV.${this.#prefix}-progress.>`;
	}

	/** Returns the subject of requests to stop a run. */
	cancel(runId: string): string {
		return joinSubject(this.#prefix, "cancel", runId);
	}

	/** Returns the subject of a run's updates. */
	updates(runId: string): string {
		return joinSubject(this.#prefix, "updates", runId);
	}

	/** Reads run and shard from a key of the bucket of runs; undefined if the key is invalid. */
	parseRunsKey(subject: string): { runId: string; shard?: number } | undefined {
		const [kind, run, shard, ...rest] = subject.slice(this.#runsBucket.length + 1).split(".");
		const runId = decodeToken(run ?? "");
		if (runId === undefined || rest.length > 0) return undefined;
		if (kind === "run" && shard === undefined) return { runId };
		if (kind === "assign" && shard !== undefined && /^\d{1,9}$/.test(shard)) return { runId, shard: Number(shard) };
		return undefined;
	}

	parseWorkerKey(subject: string): string | undefined {
		return decodeToken(subject.slice(this.workersKeys.length - 1));
	}

	get #runsBucket(): string {
		return `$KV.${this.#prefix}-runs`;
	}
}

/** Returns the name of the durable consumer of a shard's items. */
export function shardConsumer(runId: string, queue: string, shard: number): string {
	return `${encodeToken(runId)}_${queue}_${shard}`;
}

/** Encodes an id as part of a subject, key or name: bytes other than letters, digits, - and _ become =XX. */
export function encodeToken(id: string): string {
	const token = Buffer.from(id)
		.toString("latin1")
		.replace(/[^\w-]/g, (char) => `=${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
	if (token === "" || token.length > LONGEST_TOKEN)
		throw new TailtuneError("protocol", `id "${id}": ${token.length} bytes encoded, expected 1 to ${LONGEST_TOKEN}`);
	return token;
}

/** Decodes a token of `encodeToken`; undefined if it is invalid. */
export function decodeToken(token: string): string | undefined {
	if (!/^(?:[\w-]|=[0-9a-f]{2})+$/.test(token)) return undefined;
	const bytes = token.replace(/=(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
	return Buffer.from(bytes, "latin1").toString();
}

/** Joins a base and encoded parts with dots. Adds `>` if parts are undefined; parts that are "" are left out. */
function joinSubject(base: string, ...parts: readonly (string | number | undefined)[]): string {
	const given = parts.filter((part) => part !== undefined);
	const isWhole = given.length === parts.length;
	const tokens = given.filter((part) => part !== "").map((part) => encodeToken(String(part)));
	return [base, ...tokens, ...(isWhole ? [] : [">"])].join(".");
}
