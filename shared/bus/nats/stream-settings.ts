import { isDeepStrictEqual } from "node:util";
import { nanos, RetentionPolicy, StorageType, type StreamConfig } from "nats";
import { NATS_DUPLICATE_WINDOW_MS } from "../../deadlines.ts";
import { TailtuneError } from "../../errors.ts";

/** Settings of a stream; settings that are left out have the server's defaults. */
export type StreamSettings = Partial<StreamConfig> & { readonly name: string };

/** Returns the settings of a work queue: a message stays until it is acknowledged. */
export function queueSettings(name: string, subjects: string): StreamSettings {
	return {
		...fileSettings(name, subjects),
		retention: RetentionPolicy.Workqueue,
		duplicate_window: nanos(NATS_DUPLICATE_WINDOW_MS),
	};
}

/** Returns the settings of a key-value bucket, equal to those that KV clients use. */
export function bucketSettings(name: string, subjects: string): StreamSettings {
	const onlyLast = { max_msgs_per_subject: 1, allow_rollup_hdrs: true, deny_delete: true, allow_direct: true };
	return { ...fileSettings(name, subjects), ...onlyLast };
}

/** Returns the settings of a bucket in memory whose entries expire after `ttlMs`. */
export function expiringBucketSettings(name: string, subjects: string, ttlMs: number): StreamSettings {
	const lifetime = { max_age: nanos(ttlMs), duplicate_window: nanos(ttlMs), storage: StorageType.Memory };
	return { ...bucketSettings(name, subjects), ...lifetime };
}

function fileSettings(name: string, subjects: string): StreamSettings {
	return { name, subjects: [subjects], storage: StorageType.File };
}

/** The server's defaults that are neither empty, 0, -1 nor false. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
	retention: "limits",
	discard: "old",
	duplicate_window: nanos(NATS_DUPLICATE_WINDOW_MS),
};

/** Settings that an operator may choose: they don't change which messages a stream accepts, keeps or delivers. */
const FREE = new Set(["description", "metadata", "placement", "compression", "num_replicas"]);

/**
 * Refuses a stream with other settings than ours. All settings are compared, also those that we don't know: for example
 * `republish`, `sources` or `subject_transform` would let a user without permission write into a stream.
 * @throws TailtuneError "protocol" that names the setting
 */
export function assertSameSettings(expected: StreamSettings, found: object): void {
	const [ours, theirs] = [new Map<string, unknown>(Object.entries(expected)), new Map(Object.entries(found))];
	const added = [...theirs.keys()].filter((setting) => !ours.has(setting));
	// Added settings come first: they explain best why the stream differs.
	for (const setting of [...added, ...ours.keys()]) {
		const isFree = FREE.has(setting) && !ours.has(setting);
		const [wanted, is] = [ours.get(setting) ?? DEFAULTS[setting], theirs.get(setting)];
		if (isFree || isDeepStrictEqual(wanted, is) || (isUnset(wanted) && isUnset(is))) continue;
		throw differs(expected.name, setting, is, wanted);
	}
}

function differs(stream: string, setting: string, is: unknown, wanted: unknown): TailtuneError {
	const [found, expected] = [is, wanted].map((value) => (isUnset(value) ? "none" : JSON.stringify(value)));
	const way = `if no run needs it, delete it (nats stream rm ${stream}): it is created again`;
	const message = `NATS stream ${stream}: found ${setting} ${found?.slice(0, 200)}, expected ${expected}; ${way}`;
	return new TailtuneError("protocol", message);
}

function isUnset(value: unknown): boolean {
	if (value === undefined || value === null || value === false || value === 0 || value === -1) return true;
	return typeof value === "object" ? Object.keys(value).length === 0 : value === "";
}
