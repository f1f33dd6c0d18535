import { TailtuneError } from "../../errors.ts";

/** Everything of a cluster begins with this; deploy/nats/ permits exactly these names. */
export const DEFAULT_PREFIX = "tailtune";

/** Who connects; each role has permissions of its own in deploy/nats/. */
export type NatsRole = "coordinator" | "worker" | "client";

/** Longest encoded id, so that names of consumers and files made of it stay under 255 bytes. */
const LONGEST_TOKEN = 180;

/**
 * Every name that Tailtune uses on a NATS server. Streams and buckets are shared by all runs, so that permissions can
 * name them; a run's part of them is a subject.
 *
 * | what | kind | subjects |
 * |---|---|---|
 * | PREFIX-work | work-queue stream | PREFIX.work.RUN.QUEUE.SHARD |
 * | PREFIX-runs | KV bucket | run.RUN (RunSpec; header Tailtune-Queue), assign.RUN.SHARD (the worker's id) |
 * | PREFIX-workers | KV bucket, entries live as long as the heartbeat limit | WORKER (WorkerInfo) |
 * | PREFIX-progress | the same | RUN (RunProgress) |
 * | PREFIX.cancel.RUN | request, answered by the coordinator | |
 *
 * QUEUE is drawn anew whenever a run's queue is made anew, so that nothing sent to an old one can touch the new one.
 */
export class NatsNames {
	readonly workStream: string;
	/** The streams under the buckets. */
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

	/** Where a connection of this role gets its replies. */
	inboxPrefix(role: NatsRole): string {
		return `${this.#prefix}.inbox.${role}`;
	}

	/** Without a run: of all runs. Without a queue and a shard: of all of the run. */
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

	/** Where a run is asked to stop. */
	cancel(runId: string): string {
		return joinSubject(this.#prefix, "cancel", runId);
	}

	/** What a key of the bucket of runs is about; undefined where it is none of ours. */
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

/** The durable consumer of a shard's items. */
export function shardConsumer(runId: string, queue: string, shard: number): string {
	return `${encodeToken(runId)}_${queue}_${shard}`;
}

/** An id as a part of a subject, key or name: bytes other than letters, digits, - and _ become =XX. */
export function encodeToken(id: string): string {
	const token = Buffer.from(id)
		.toString("latin1")
		.replace(/[^\w-]/g, (char) => `=${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
	if (token === "" || token.length > LONGEST_TOKEN)
		throw new TailtuneError("protocol", `id "${id}": ${token.length} bytes encoded, expected 1 to ${LONGEST_TOKEN}`);
	return token;
}

/** The id that gave a token; undefined where none does. */
export function decodeToken(token: string): string | undefined {
	if (!/^(?:[\w-]|=[0-9a-f]{2})+$/.test(token)) return undefined;
	const bytes = token.replace(/=(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
	return Buffer.from(bytes, "latin1").toString();
}

/** The first part as it is, ids encoded; `>` for the parts left out, nothing where the last is "". */
function joinSubject(base: string, ...parts: readonly (string | number | undefined)[]): string {
	const given = parts.filter((part) => part !== undefined);
	const isWhole = given.length === parts.length;
	const tokens = given.filter((part) => part !== "").map((part) => encodeToken(String(part)));
	return [base, ...tokens, ...(isWhole ? [] : [">"])].join(".");
}
