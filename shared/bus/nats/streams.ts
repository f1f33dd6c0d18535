import { type JetStreamManager, type MsgHdrs, NatsError, type StreamInfo } from "nats";
import { TailtuneError } from "../../errors.ts";
import { isNotFound, type NatsLink } from "./connection.ts";
import {
	assertSameSettings,
	bucketSettings,
	fleetingBucketSettings,
	queueSettings,
	type StreamSettings,
} from "./stream-settings.ts";
import type { NatsNames } from "./subjects.ts";

/** What a key of a bucket holds. */
export interface Entry {
	readonly data: Uint8Array;
	readonly headers: MsgHdrs | undefined;
	/** Sequence number in the bucket's stream. */
	readonly seq: number;
}

/** The header by which clients of KV mark an entry as deleted. */
export const OPERATION_HEADER = "KV-Operation";

/** JetStream's error codes for more replicas than there are servers for. */
const NO_SUITABLE_PEERS = 10005;
const INSUFFICIENT_RESOURCES = 10023;
const NOT_CLUSTERED = 10074;

const NAME_IN_USE = 10058;

/** Replicas of a stream if nothing else is said and the cluster has servers for them. */
const SAFE_REPLICAS = 3;

export interface NatsStreamsOptions {
	/** Entries of workers and of progress live for so long. */
	readonly ttlMs: number;
	/** Servers that keep a copy of each stream; default: 3 in a cluster of so many, else 1. */
	readonly replicas?: number | undefined;
}

/** Makes a cluster's streams and buckets if they are missing, which only a coordinator does, and reads them. */
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
	 * Makes the streams and buckets that are missing, and compares the settings of those that exist.
	 * @returns when the queue of items was made: at another time it was another one, and what was published then is lost
	 * @throws TailtuneError "protocol" for a stream with other settings, "usage" for replicas that the cluster can't keep
	 */
	async ensureAll(): Promise<string> {
		const names = this.#names;
		const { ttlMs } = this.#options;
		const [made] = await Promise.all([
			this.#ensure(queueSettings(names.workStream, names.work())),
			this.#ensure(bucketSettings(names.runsStream, names.runsKeys)),
			this.#ensure(fleetingBucketSettings(names.workersStream, names.workersKeys, ttlMs)),
			this.#ensure(fleetingBucketSettings(names.progressStream, names.progressKeys, ttlMs)),
		]);
		return made;
	}

	/** Whether a stream exists. */
	async exists(stream: string): Promise<boolean> {
		return (await this.#info(stream)) !== undefined;
	}

	/** The last entry of a key; undefined where there is none, also where the whole bucket is missing. */
	async last(stream: string, key: string): Promise<Entry | undefined> {
		try {
			// Not the direct way of reading: where the bucket is missing, that one is never answered.
			const { data, header, seq } = await this.#jsm.streams.getMessage(stream, { last_by_subj: key });
			return { data, headers: header, seq };
		} catch (error) {
			if (isNotFound(error)) return undefined;
			throw error;
		}
	}

	/** How many messages each subject holds. */
	async counts(stream: string, subjects: string): Promise<Map<string, number>> {
		try {
			const info = await this.#jsm.streams.info(stream, { subjects_filter: subjects });
			return new Map(Object.entries(info.state.subjects ?? {}));
		} catch (error) {
			if (isNotFound(error)) return new Map();
			throw error;
		}
	}

	/** Forgets all messages of these subjects, or those up to a sequence number. */
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

	/** @returns when the stream was made */
	async #ensure(settings: StreamSettings): Promise<string> {
		const { replicas } = this.#options;
		const wanted = { ...settings, ...(replicas !== undefined && { num_replicas: replicas }) };
		const { config, created } = (await this.#info(settings.name)) ?? (await this.#make(wanted));
		assertSameSettings(wanted, config);
		if (replicas === undefined && config.num_replicas === 1) this.#mentionOneCopy();
		return created;
	}

	/** A single server can keep no more: there it is no news. */
	#mentionOneCopy(): void {
		const { at, nc, notices } = this.#link;
		if (!nc.info?.cluster) return;
		const found = `${at} is a cluster, but keeps one copy of each stream: it had fewer than ${SAFE_REPLICAS} servers for them`;
		const way = "start the missing ones, delete the streams while no run needs them, or say --nats-replicas 1";
		notices.mention("one-copy", `${found}, and a server that is lost can take items along; ${way}`);
	}

	async #make(settings: StreamSettings): Promise<StreamInfo> {
		const { streams } = this.#jsm;
		const { replicas } = this.#options;
		try {
			return await streams.add({ ...settings, num_replicas: replicas ?? SAFE_REPLICAS });
		} catch (error) {
			// Somebody else made it meanwhile.
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

/** An id that came in a message, where it must be a certain one. */
export function expectId(what: string, found: string, expected: string): void {
	if (found !== expected) throw new TailtuneError("protocol", `${what} "${found}", expected "${expected}"`);
}
