import { type JetStreamManager, type MsgHdrs, nanos, RetentionPolicy, StorageType, type StreamConfig } from "nats";
import { TailtuneError } from "../errors.ts";
import { DUPLICATE_WINDOW_MS } from "./nats-config.ts";
import { isNotFound, type NatsLink } from "./nats-connection.ts";
import type { NatsNames } from "./nats-subjects.ts";

/** What a key of a bucket holds. */
export interface Entry {
	readonly data: Uint8Array;
	readonly headers: MsgHdrs | undefined;
	/** Sequence number in the bucket's stream. */
	readonly seq: number;
}

type Config = Partial<StreamConfig> & { name: string };

/** The header by which clients of KV mark an entry as deleted. */
export const OPERATION_HEADER = "KV-Operation";

/** Makes the streams and buckets of a cluster where they are missing, and reads them. */
export class NatsStreams {
	readonly #link: NatsLink;
	readonly #names: NatsNames;

	constructor(link: NatsLink, names: NatsNames) {
		this.#link = link;
		this.#names = names;
	}

	/** When the stream of items was made: another time means another stream, where what was published is lost. */
	ensureWork(): Promise<string> {
		return this.#ensure(queue(this.#names.workStream, this.#names.work()));
	}

	ensureAnswers(): Promise<string> {
		return this.#ensure(queue(this.#names.answersStream, this.#names.answers()));
	}

	ensureRuns(): Promise<string> {
		return this.#ensure(bucket(this.#names.runsStream, this.#names.runsKeys));
	}

	/** Entries live for `ttlMs`; where the bucket is there, it stays as it is. */
	ensureWorkers(ttlMs: number): Promise<string> {
		return this.#ensure(fleetingBucket(this.#names.workersStream, this.#names.workersKeys, ttlMs));
	}

	/** As that of the workers. */
	ensureProgress(ttlMs: number): Promise<string> {
		return this.#ensure(fleetingBucket(this.#names.progressStream, this.#names.progressKeys, ttlMs));
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

	async #ensure(config: Config): Promise<string> {
		try {
			return (await this.#jsm.streams.add(config)).created;
		} catch (error) {
			if (!isNameInUse(error)) throw error;
			return (await this.#jsm.streams.info(config.name)).created;
		}
	}
}

/** Whether a stream of that name is there, set up in another way: by an operator, or by another version. */
function isNameInUse(error: unknown): boolean {
	return error instanceof Error && /already in use/.test(error.message);
}

function queue(name: string, subjects: string): Config {
	return {
		...file(name, subjects),
		retention: RetentionPolicy.Workqueue,
		duplicate_window: nanos(DUPLICATE_WINDOW_MS),
	};
}

/** As clients of KV make a bucket. */
function bucket(name: string, subjects: string): Config {
	const onlyLast = { max_msgs_per_subject: 1, allow_rollup_hdrs: true, deny_delete: true, allow_direct: true };
	return { ...file(name, subjects), ...onlyLast };
}

function fleetingBucket(name: string, subjects: string, ttlMs: number): Config {
	const lifetime = { max_age: nanos(ttlMs), duplicate_window: nanos(ttlMs), storage: StorageType.Memory };
	return { ...bucket(name, subjects), ...lifetime };
}

function file(name: string, subjects: string): Config {
	return { name, subjects: [subjects], storage: StorageType.File };
}

/** An id that came in a message, where it must be a certain one. */
export function expectId(what: string, found: string, expected: string): void {
	if (found !== expected) throw new TailtuneError("protocol", `${what} "${found}", expected "${expected}"`);
}
