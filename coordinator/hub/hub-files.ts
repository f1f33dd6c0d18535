import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { downloadFile } from "../../shared/files/download.ts";
import { pathExists } from "../../shared/files/regular-file.ts";
import { DownloadError } from "../../shared/files/transfer.ts";
import { asDiskError } from "../../shared/files/write-atomic.ts";
import { HUB_ANSWER_MS } from "../deadlines.ts";

export interface HubOptions {
	/** Default: the cache of Hugging Face's own tools (HF_HUB_CACHE, HF_HOME). */
	readonly cacheDir?: string;
	/** Default: HF_ENDPOINT, or the public hub. */
	readonly hubUrl?: string;
	/** Called with the downloaded and the total bytes of the weights. */
	readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
	readonly signal?: AbortSignal;
}

/** Returns the address of the hub: HF_ENDPOINT, or the public hub. */
export function hubAddress({ hubUrl }: HubOptions): string {
	return (hubUrl ?? process.env.HF_ENDPOINT ?? "https://huggingface.co").replace(/\/+$/, "");
}

/** Whether only the cache may be used: HF_HUB_OFFLINE, as Hugging Face's own tools read it. */
export function isHubOffline(): boolean {
	return ["1", "on", "yes", "true"].includes((process.env.HF_HUB_OFFLINE ?? "").toLowerCase());
}

/** Creates the error of a name that isn't in the cache if `isHubOffline`. @param what the name, as in messages */
export function notInCache(what: string, repoFolder: string): TailtuneError {
	const reason = "HF_HUB_OFFLINE is set and it isn't in the cache";
	return new TailtuneError("offline", `${what}: ${reason} (${repoFolder}); run once without it`);
}

/** Returns HF_TOKEN, if it is set. Throws TailtuneError "usage" if it isn't a token. */
function accessToken(): { accessToken?: string } {
	const token = process.env.HF_TOKEN;
	if (!token) return {};
	if (!token.startsWith("hf_")) throw new TailtuneError("usage", "HF_TOKEN: expected a token that begins with hf_");
	return { accessToken: token };
}

/** Returns a fetch whose response, body included, must be complete within the limit. */
function fetchWithin(limitMs: number, signal: AbortSignal): typeof fetch {
	return (url, init) => {
		// The timer keeps the controller alive. An AbortSignal.timeout inside AbortSignal.any can be freed by Node, and
		// then fetch never ends.
		const timeout = new AbortController();
		setTimeout(() => timeout.abort(new Error("no answer")), limitMs).unref();
		return fetch(url, { ...init, signal: AbortSignal.any([signal, timeout.signal]) });
	};
}

/** Returns the options of every call of the hub's client. Throws TailtuneError "usage" as `accessToken`. */
export function callOptions(hubUrl: string, signal: AbortSignal) {
	return { hubUrl, ...accessToken(), fetch: fetchWithin(HUB_ANSWER_MS, signal) };
}

/** Whether a text is the id of a commit. */
export function isCommit(text: string): boolean {
	return /^[0-9a-f]{40}$/.test(text);
}

/** Throws TailtuneError "protocol" that names the repository if the hub's answer isn't the id of a commit. */
export function assertCommit(commit: string, repo: string): void {
	if (!isCommit(commit)) throw new TailtuneError("protocol", `${repo}: expected a commit from the hub`);
}

/** Writes to the cache which commit a revision is. */
export async function writeRef(repoFolder: string, revision: string, commit: string): Promise<void> {
	const ref = join(repoFolder, "refs", revision);
	await mkdir(dirname(ref), { recursive: true });
	await writeFile(ref, commit);
}

/** A file of a repository as the hub lists it. */
export interface HubFile {
	readonly path: string;
	readonly size: number;
	/** Git's SHA-1 of a small file. */
	readonly oid?: string | undefined;
	/** SHA-256 of a large file. */
	readonly lfs?: { readonly oid: string } | undefined;
}

/** Where files of one commit go, and where they come from. */
export interface CacheTarget {
	readonly repoFolder: string;
	readonly snapshot: string;
	readonly url: string;
	readonly signal: AbortSignal;
}

/**
 * Downloads files to the cache: contents are stored by checksum in `blobs`, and a snapshot is a folder of links to
 * them.
 */
export async function fetchToCache(
	{ repoFolder, snapshot, url, signal }: CacheTarget,
	files: readonly HubFile[],
	onProgress?: HubOptions["onProgress"],
): Promise<void> {
	const total = files.reduce((sum, { size }) => sum + size, 0);
	const token = accessToken().accessToken;
	const headers = token ? { Authorization: `Bearer ${token}` } : {};
	await mkdir(join(repoFolder, "blobs"), { recursive: true });
	await mkdir(snapshot, { recursive: true });
	let done = 0;
	for (const { path, size, lfs, oid } of files) {
		const checksum = lfs?.oid ?? oid ?? "";
		if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(checksum)) {
			throw new TailtuneError("protocol", `${url}/${path}: expected a checksum from the hub`);
		}
		const blob = join(repoFolder, "blobs", checksum);
		const file = { url: `${url}/${path}`, headers, maxBytes: size, sizeBytes: size, checksum };
		const before = done;
		const onFileProgress = (bytes: number) => onProgress?.(before + bytes, total);
		if (!(await pathExists(blob, "disk"))) await downloadFile(file, blob, { signal, onProgress: onFileProgress });
		const link = join(snapshot, path);
		await mkdir(dirname(link), { recursive: true });
		await rm(link, { force: true });
		await symlink(relative(dirname(link), blob), link);
		done += size;
	}
}

/** A request to the hub, for messages about its errors. */
export interface HubRequest {
	/** For example "--model owner/name". */
	readonly what: string;
	/** What isn't there if the hub doesn't know the name, for example "no folder and no hub model". */
	readonly missing: string;
	/** The way out if the hub can't be reached. */
	readonly advice: string;
	readonly repoFolder: string;
	readonly hubUrl: string;
	readonly signal?: AbortSignal | undefined;
}

/**
 * Converts an error of a request to the hub to a TailtuneError "offline", "not-found", "disk" or "interrupted".
 */
export function explainHubError(
	error: unknown,
	{ what, missing, advice, repoFolder, hubUrl, signal }: HubRequest,
): unknown {
	if (signal?.aborted) return new TailtuneError("interrupted", `${what}: download stopped; run again to continue`);
	if (error instanceof TailtuneError) return error;
	if (systemCodeOf(error) !== undefined) return asDiskError(repoFolder, error);
	const status = typeof error === "object" && error !== null && "statusCode" in error ? error.statusCode : undefined;
	if (status === 401 || status === 403 || status === 404) {
		const message = `${what}: ${missing} of that name (or a private one: set HF_TOKEN)`;
		return new TailtuneError("not-found", message, { cause: error });
	}
	const isBroken = error instanceof DownloadError && status === undefined;
	const reason = isBroken
		? `: ${error.message}`
		: status === undefined
			? " can't be reached"
			: ` answers with status ${status}`;
	const message = `${what}: ${hubUrl}${reason}; ${advice}`;
	return new TailtuneError("offline", message, { cause: error });
}
