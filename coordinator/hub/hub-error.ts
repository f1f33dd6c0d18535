import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { DownloadError } from "../../shared/files/transfer.ts";
import { asDiskError } from "../../shared/files/write-atomic.ts";
import type { HubToken } from "./hub-access.ts";

/** Creates the error of a name that isn't in the cache if `isHubOffline`. @param what the name, as in messages */
export function notInCache(what: string, repoFolder: string): TailtuneError {
	const reason = "HF_HUB_OFFLINE is set and it isn't in the cache";
	return new TailtuneError("offline", `${what}: ${reason} (${repoFolder}); run once without it`);
}

/** A request to the hub, for messages about its errors. */
export interface HubRequest {
	/** For example "--model owner/name". */
	readonly what: string;
	/** What isn't there if the hub doesn't know the name, for example "no folder and no hub model". */
	readonly missing: string;
	/** What to do if the hub can't be reached. */
	readonly advice: string;
	/** Access that the token lacks if the hub denies it, and how to get it. */
	readonly access: string;
	/** Folder that is written. */
	readonly folder: string;
	readonly hubUrl: string;
	/** The token that was sent. */
	readonly token: HubToken | undefined;
	readonly signal?: AbortSignal | undefined;
}

/**
 * Converts an error of a request to the hub to a TailtuneError "offline", "not-found", "denied", "disk" or
 * "interrupted".
 */
export function explainHubError(error: unknown, request: HubRequest): unknown {
	const { what, advice, folder, hubUrl, signal } = request;
	if (signal?.aborted) return new TailtuneError("interrupted", `${what}: stopped; run again to continue`);
	if (error instanceof TailtuneError) return error;
	if (systemCodeOf(error) !== undefined) return asDiskError(folder, error);
	const status = statusOf(error);
	const refusal = status === undefined ? undefined : explainRefusal(status, request);
	if (refusal) return new TailtuneError(refusal.code, `${what}: ${refusal.reason}`, { cause: error });
	const isBroken = error instanceof DownloadError && status === undefined;
	const reason = isBroken
		? `: ${error.message}`
		: status === undefined
			? " can't be reached"
			: ` answers with status ${status}${reasonOf(error)}`;
	return new TailtuneError("offline", `${what}: ${hubUrl}${reason}; ${advice}`, { cause: error });
}

/** Returns the HTTP status of an error of the hub's client or of a download. */
function statusOf(error: unknown): number | undefined {
	const status = typeof error === "object" && error !== null && "statusCode" in error ? error.statusCode : undefined;
	return typeof status === "number" ? status : undefined;
}

/** Returns the hub's own explanation, for example of a name that it doesn't allow. */
function reasonOf(error: unknown): string {
	const { data } = error as { data?: { error?: unknown } };
	return typeof data?.error === "string" ? ` (${data.error.replaceAll(/\s+/g, " ")})` : "";
}

/** The hub answers 401 or 404 for a private repository without access, and 401 or 403 for a gated one. */
function explainRefusal(status: number, { missing, access, hubUrl, token }: HubRequest) {
	if (status !== 401 && status !== 403 && status !== 404) return undefined;
	if (!token) {
		return { code: "not-found", reason: `${missing} of that name (or a private or gated one: set HF_TOKEN)` } as const;
	}
	if (status === 401) {
		return { code: "denied", reason: `${hubUrl} doesn't accept the token of ${token.source}` } as const;
	}
	if (status === 403) {
		return { code: "denied", reason: `the token of ${token.source} has ${access}` } as const;
	}
	const reason = `${missing} of that name, or a private one without access for the token of ${token.source}`;
	return { code: "not-found", reason } as const;
}
