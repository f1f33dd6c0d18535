import { ErrorCode, NatsError } from "nats";
import type { NoticeKind } from "../../notices.ts";

/** Reason why an operation is not possible yet: reported as a notice, and as an error if it lasts too long. */
export interface NatsTrouble {
	readonly kind: NoticeKind;
	readonly text: string;
	/** Time in ms after which it is reported; default: as `Hold.begin`. */
	readonly reportAfterMs?: number;
}

/** Thrown by an action of `NatsLink.persist` that must be retried for this reason, which is reported at once. */
export class NotReadyError extends Error implements NatsTrouble {
	readonly kind: NoticeKind;
	readonly reportAfterMs = 0;

	constructor(kind: NoticeKind, text: string) {
		super(text);
		this.kind = kind;
	}

	get text(): string {
		return this.message;
	}
}

/** Error codes of JetStream's API, named as in nats-server. */
const ACCOUNT_RESOURCES_EXCEEDED = 10002;
const INSUFFICIENT_RESOURCES = 10023;
const MEMORY_EXCEEDED = 10028;
const NOT_ENABLED_FOR_ACCOUNT = 10039;
const STORAGE_EXCEEDED = 10047;
const NOT_ENABLED = 10076;
const STORE_FAILED = 10077;
const STORE_FULL = [
	ACCOUNT_RESOURCES_EXCEEDED,
	INSUFFICIENT_RESOURCES,
	MEMORY_EXCEEDED,
	STORAGE_EXCEEDED,
	STORE_FAILED,
];

const NOT_LEADER = 10009;
const STREAM_OFFLINE = 10118;
const CONSUMER_OFFLINE = 10119;
const DUPLICATE_IN_PROCESS = 10158;
const TOO_MANY_REQUESTS = 10167;
/** A cluster elects a leader, has not enough servers, or hasn't stored the former try of the same message yet. */
const NOT_READY = [NOT_LEADER, STREAM_OFFLINE, CONSUMER_OFFLINE, DUPLICATE_IN_PROCESS, TOO_MANY_REQUESTS];

/** Whether a retry may succeed: no connection, no reply, no leader, or no storage yet. */
export function isTransient(error: unknown): boolean {
	if (error instanceof NotReadyError) return true;
	if (!(error instanceof NatsError)) return false;
	const codes: string[] = [ErrorCode.Timeout, ErrorCode.NoResponders, ErrorCode.Disconnect];
	const { code, err_code = 0 } = error.api_error ?? {};
	return codes.includes(error.code) || code === 503 || [...STORE_FULL, ...NOT_READY].includes(err_code);
}

/**
 * Returns the reason of a transient error.
 * @param at name of the server, as in "NATS at nats://host:4222"
 * @param hasJetStream whether the server reports that it has JetStream
 * @returns undefined for a lost connection, which `NatsLink` reports itself
 */
export function troubleOf(error: unknown, at: string, hasJetStream: boolean): NatsTrouble | undefined {
	if (error instanceof NotReadyError) return error;
	if (!(error instanceof NatsError) || error.code === ErrorCode.Disconnect) return undefined;
	const { err_code = 0, description = "" } = error.api_error ?? {};
	if (err_code === NOT_ENABLED_FOR_ACCOUNT) {
		const way = 'set "jetstream: enabled" in the account of the server\'s configuration';
		return { kind: "no-jetstream", text: `${at}: this user's account has no JetStream; ${way}` };
	}
	if (err_code === NOT_ENABLED || (error.code === ErrorCode.NoResponders && !hasJetStream && err_code === 0)) {
		const way = 'start it as "nats-server -js", or set "jetstream {}" in its configuration';
		return { kind: "no-jetstream", text: `${at} has no JetStream; ${way}` };
	}
	if (STORE_FULL.includes(err_code)) {
		const way = "it needs more room on its disk, or a higher max_file_store and max_memory_store";
		return { kind: "store-full", text: `${at} stores no more messages (${description}); ${way}` };
	}
	// A cluster without a majority alternates between no reply and "no responders": both have the same cause.
	const why = "a stream has no leader, as when too few servers of the cluster are up, or the server is overloaded";
	return { kind: "no-answer", text: `${at}: JetStream doesn't answer: ${why}` };
}
