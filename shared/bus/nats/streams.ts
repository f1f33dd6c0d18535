import { type JetStreamManager, type MsgHdrs, NatsError, type StreamInfo } from "nats";
import { TailtuneError } from "../../errors.ts";
import { isNotFound, type NatsLink } from "./connection.ts";
import {
	assertSameSettings,
	bucketSettings,
	expiringBucketSettings,
	queueSettings,
	type StreamSettings,
} from "./stream-settings.ts";
import type { NatsNames } from "./subjects.ts";

/** The value of a key in a bucket. */
export interface Entry {
	readonly data: Uint8Array;
	readonly headers: MsgHdrs | undefined;
	/** Sequence number in the bucket's stream. */
	readonly seq: number;
}

/** The header with which KV clients mark an entry as deleted. */
export const OPERATION_HEADER = "KV-Operation";

/** JetStream's error codes for more replicas than servers. */
const NO_SUITABLE_PEERS = 10005;
const INSUFFICIENT_RESOURCES = 10023;
const NOT_CLUSTERED = 10074;

const NAME_IN_USE = 10058;

/** Default number of replicas of a stream, if the cluster has enough servers. */
const SAFE_REPLICAS = 3;

export interface NatsStreamsOptions {
	/** Time in ms after which entries of workers and of progress expire. */
	readonly ttlMs: number;
	/** Number of copies of each stream; default: 3 in a cluster of at least 3 servers, otherwise 1. */
	readonly replicas?: number | undefined;
}

/** Reads a cluster's streams and buckets, and creates missing ones. Only a coordinator creates them. */
export class NatsStreams {
	readonly #link: NatsLink;
	readonly #names: NatsNames;
	readonly #options: NatsStreamsOptions;

	constructor(link: NatsLink, names: NatsNames, options: NatsStreamsOptions) {
		this.#link = link;
		this.#names = names;
		this.#options = options;
	}

	/**
	 * Creates missing streams and buckets, and compares the settings of existing ones.
	 * @returns the creation time of the queue of items. A different time means a new queue, without the former items.
	 * @throws TailtuneError "protocol" if a stream has other settings, "usage" for more replicas than the cluster can
	 * keep
	 */
	async ensureAll(): Promise<string> {
		const names = this.#names;
		const { ttlMs } = this.#options;
		const [made] = await Promise.all([
			this.#ensure(queueSettings(names.workStream, names.work())),
			this.#ensure(bucketSettings(names.runsStream, names.runsKeys)),
			this.#ensure(expiringBucketSettings(names.workersStream, names.workersKeys, ttlMs)),
			this.#ensure(expiringBucketSettings(names.progressStream, names.progressKeys, ttlMs)),
		]);
		return made;
	}

	/** Whether a stream exists. */
	async exists(stream: string): Promise<boolean> {
		return (await this.#info(stream)) !== undefined;
	}

	/** Reads the last entry of a key; undefined if there is none or the bucket doesn't exist. */
	async last(stream: string, key: string): Promise<Entry | undefined> {
		try {
			// Not a direct get: the server never replies to it if the bucket doesn't exist.
			const { data, header, seq } = await this.#jsm.streams.getMessage(stream, { last_by_subj: key });
			return { data, headers: header, seq };
		} catch (error) {
			if (isNotFound(error)) return undefined;
			throw error;
		}
	}

	/** Returns the number of messages per subject. */
	async counts(stream: string, subjects: string): Promise<Map<string, number>> {
		try {
			const info = await this.#jsm.streams.info(stream, { subjects_filter: subjects });
			return new Map(Object.entries(info.state.subjects ?? {}));
		} catch (error) {
			if (isNotFound(error)) return new Map();
			throw error;
		}
	}

	/** Removes all messages of these subjects, or only those up to the sequence number `upTo`. */
	async purge(stream: string, subjects: string, upTo?: number): Promise<void> {
		try {
			await this.#jsm.streams.purge(stream, { filter: subjects, ...(upTo !== undefined && { seq: upTo + 1 }) });
		} catch (error) {
			if (!isNotFound(error)) throw error;
		}
	}

	get #jsm(): JetStreamManager {
		return this.#link.jsm;
	}

	/** Returns the creation time of the stream. */
	async #ensure(settings: StreamSettings): Promise<string> {
		const { replicas } = this.#options;
		const wanted = { ...settings, ...(replicas !== undefined && { num_replicas: replicas }) };
		const { config, created } = (await this.#info(settings.name)) ?? (await this.#make(wanted));
		assertSameSettings(wanted, config);
		if (replicas === undefined && config.num_replicas === 1) this.#reportSingleCopy();
		return created;
	}

	/** Reports that a cluster keeps one copy only. Without a cluster this is normal and not reported. */
	#reportSingleCopy(): void {
		const { at, nc, notices } = this.#link;
		if (!nc.info?.cluster) return;
		const found = `${at} is a cluster, but keeps one copy of each stream: it had fewer than ${SAFE_REPLICAS} servers for them`;
		const way = "start the missing ones, delete the streams while no run needs them, or set --nats-replicas 1";
		notices.mention("one-copy", `${found}, and if a server is lost, its items are lost too; ${way}`);
	}

	async #make(settings: StreamSettings): Promise<StreamInfo> {
		const { streams } = this.#jsm;
		const { replicas } = this.#options;
		try {
			return await streams.add({ ...settings, num_replicas: replicas ?? SAFE_REPLICAS });
		} catch (error) {
			// Another coordinator created it in the meantime.
			if (hasCode(error, NAME_IN_USE)) return streams.info(settings.name);
			if (!hasCode(error, NO_SUITABLE_PEERS, INSUFFICIENT_RESOURCES, NOT_CLUSTERED) || replicas === 1) throw error;
			if (replicas === undefined) return streams.add({ ...settings, num_replicas: 1 });
			const why = `NATS can't keep so many copies of a stream: ${error.message}`;
			throw new TailtuneError("usage", `--nats-replicas ${replicas}: ${why}`, { cause: error });
		}
	}

	async #info(stream: string): Promise<StreamInfo | undefined> {
		try {
			return await this.#jsm.streams.info(stream);
		} catch (error) {
			if (isNotFound(error)) return undefined;
			throw error;
		}
	}
}

function hasCode(error: unknown, ...codes: readonly number[]): error is NatsError {
	return error instanceof NatsError && codes.includes(error.api_error?.err_code ?? 0);
}

/** Checks that the id in a message is the expected one. */
export function expectId(name: string, found: string, expected: string): void {
	if (found !== expected) throw new TailtuneError("protocol", `${name} "${found}", expected "${expected}"`);
}
