import { mkdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { getHFHubCachePath, getRepoFolderName, modelInfo, type PathInfo, pathsInfo } from "@huggingface/hub";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { downloadFile } from "../../shared/files/download.ts";
import { MOST_JSON_BYTES, pathExists, readRegularFile } from "../../shared/files/regular-file.ts";
import { DownloadError } from "../../shared/files/transfer.ts";
import { asDiskError } from "../../shared/files/write-atomic.ts";
import { INDEX_FILE, readShardNames, WEIGHTS_FILE } from "../../shared/model/open-model.ts";
import { HUB_ANSWER_MS } from "../deadlines.ts";
import { TOKENIZER_FILES } from "./check-tokenizer.ts";

export interface HubOptions {
	/** Default: the cache of Hugging Face's own tools (HF_HUB_CACHE, HF_HOME). */
	readonly cacheDir?: string;
	/** Default: HF_ENDPOINT, or the public hub. */
	readonly hubUrl?: string;
	/** Called with the downloaded and the total bytes of the weights. */
	readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
	readonly signal?: AbortSignal;
}

const CONFIG_FILE = "config.json";
/**
 * Returns the folder of a hub model in the standard cache. If all files are there, the network isn't used. Otherwise
 * the missing files are downloaded and checked; interrupted downloads are resumed.
 * @param repo for example "openai-community/gpt2"; private repositories need HF_TOKEN
 * @throws TailtuneError "offline", "not-found", "checksum", "disk", "interrupted", or "model" if the repository has no
 *   usable files
 */
export async function fetchHubModel(repo: string, options: HubOptions): Promise<string> {
	const repoFolder = join(options.cacheDir ?? getHFHubCachePath(), getRepoFolderName({ type: "model", name: repo }));
	const cached = await findSnapshot(repoFolder);
	if (cached !== undefined) return cached;
	const hubUrl = (options.hubUrl ?? process.env.HF_ENDPOINT ?? "https://huggingface.co").replace(/\/+$/, "");
	try {
		return await downloadSnapshot(repo, repoFolder, hubUrl, options);
	} catch (error) {
		throw explain(error, repo, repoFolder, hubUrl, options.signal);
	}
}

async function findSnapshot(repoFolder: string): Promise<string | undefined> {
	try {
		const commit = (await readRegularFile(join(repoFolder, "refs", "main"), MOST_JSON_BYTES, "model"))
			.toString("utf8")
			.trim();
		const snapshot = join(repoFolder, "snapshots", commit);
		await stat(join(snapshot, CONFIG_FILE));
		const whole = await pathExists(join(snapshot, WEIGHTS_FILE), "model");
		for (const shard of whole ? [] : await readShardNames(snapshot)) await stat(join(snapshot, shard));
		return snapshot;
	} catch {
		return undefined;
	}
}

async function downloadSnapshot(
	repo: string,
	repoFolder: string,
	hubUrl: string,
	options: HubOptions,
): Promise<string> {
	const { onProgress, signal = new AbortController().signal } = options;
	const ask = { hubUrl, ...accessToken(), fetch: fetchWithin(HUB_ANSWER_MS, signal) };
	const { sha: commit } = await modelInfo({ name: repo, revision: "main", additionalFields: ["sha"], ...ask });
	if (!/^[0-9a-f]{40}$/.test(commit)) throw new TailtuneError("protocol", `${repo}: expected a commit from the hub`);
	const list = async (paths: string[]) => {
		const files = await pathsInfo({ repo, revision: commit, paths, ...ask });
		// Paths become files on this machine, so only requested ones are accepted.
		return files.filter(({ path }) => paths.includes(path));
	};
	const target = {
		repoFolder,
		snapshot: join(repoFolder, "snapshots", commit),
		url: `${hubUrl}/${repo}/resolve/${commit}`,
		signal,
	};

	const found = await list([CONFIG_FILE, WEIGHTS_FILE, INDEX_FILE, ...TOKENIZER_FILES]);
	const [config, whole, index] = [CONFIG_FILE, WEIGHTS_FILE, INDEX_FILE].map((name) =>
		found.filter(({ path }) => path === name),
	) as [PathInfo[], PathInfo[], PathInfo[]];
	if (config.length === 0 || whole.length + index.length === 0) {
		const expected = `expected a GPT-2 with ${CONFIG_FILE} and ${WEIGHTS_FILE}`;
		throw new TailtuneError("model", `--model ${repo}: found ${found.map(({ path }) => path)}, ${expected}`);
	}
	const tokenizer = found.filter(({ path }) => TOKENIZER_FILES.includes(path));
	await fetchToCache(target, [...config, ...(whole.length > 0 ? [] : index), ...tokenizer]);
	const weights = whole.length > 0 ? whole : await list(await readShardNames(target.snapshot));
	await fetchToCache(target, weights, onProgress);
	await mkdir(join(repoFolder, "refs"), { recursive: true });
	await writeFile(join(repoFolder, "refs", "main"), commit);
	return target.snapshot;
}

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

interface CacheTarget {
	readonly repoFolder: string;
	readonly snapshot: string;
	readonly url: string;
	readonly signal: AbortSignal;
}

/**
 * Downloads files to the cache: contents are stored by checksum in `blobs`, and a snapshot is a folder of links to
 * them.
 */
async function fetchToCache(
	{ repoFolder, snapshot, url, signal }: CacheTarget,
	files: readonly PathInfo[],
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
		await rm(link, { force: true });
		await symlink(relative(snapshot, blob), link);
		done += size;
	}
}

function explain(error: unknown, repo: string, repoFolder: string, hubUrl: string, signal?: AbortSignal): unknown {
	if (signal?.aborted)
		return new TailtuneError("interrupted", `--model ${repo}: download stopped; run again to continue`);
	if (error instanceof TailtuneError) return error;
	if (systemCodeOf(error) !== undefined) return asDiskError(repoFolder, error);
	const status = typeof error === "object" && error !== null && "statusCode" in error ? error.statusCode : undefined;
	if (status === 401 || status === 403 || status === 404) {
		const message = `--model ${repo}: no folder and no hub model of that name (or a private one: set HF_TOKEN)`;
		return new TailtuneError("not-found", message, { cause: error });
	}
	const isBroken = error instanceof DownloadError && status === undefined;
	const reason = isBroken
		? `: ${error.message}`
		: status === undefined
			? " can't be reached"
			: ` answers with status ${status}`;
	const message = `--model ${repo}: ${hubUrl}${reason}; use --model demo or --model FOLDER instead`;
	return new TailtuneError("offline", message, { cause: error });
}
