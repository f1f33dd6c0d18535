import { join } from "node:path";
import { datasetInfo, getHFHubCachePath, getRepoFolderName, modelInfo } from "@huggingface/hub";
import { TailtuneError } from "../../shared/errors.ts";
import { HUB_ANSWER_MS } from "../deadlines.ts";
import { callOptions, type HubCall, type HubOptions, hubAddress, isHubOffline, readHubToken } from "./hub-access.ts";
import { type CacheTarget, isCommit, readCommit } from "./hub-cache.ts";
import { explainHubError, type HubRequest, notInCache } from "./hub-error.ts";

/** A repository of the hub that the user named. */
export interface NamedRepository extends Pick<HubRequest, "what" | "missing" | "advice"> {
	readonly type: "model" | "dataset";
	/** For example "openai-community/gpt2". */
	readonly repo: string;
	/** Branch, tag or commit. */
	readonly revision: string;
}

/** The place of a repository in the cache. */
export interface CachedRepository {
	readonly repoFolder: string;
	/** Commit of the revision, if it is in the cache. */
	readonly commit: string | undefined;
}

/** A commit of a repository, with what calls and downloads need. */
export interface Repository {
	readonly commit: string;
	readonly target: CacheTarget;
	readonly call: HubCall;
}

/** Finds a repository in the standard cache, without the network. */
export async function findInCache(
	{ type, repo, revision }: NamedRepository,
	{ cacheDir = getHFHubCachePath() }: HubOptions,
): Promise<CachedRepository> {
	const repoFolder = join(cacheDir, getRepoFolderName({ type, name: repo }));
	return { repoFolder, commit: await readCommit(repoFolder, revision) };
}

/**
 * Finds the commit of a revision and downloads files of it. A revision that is in the cache keeps its commit, so that a
 * run that is resumed reads the same files.
 * @throws TailtuneError "usage" if there is a wrong token; "offline", "not-found", "denied", "disk" or "interrupted";
 *   errors of `download`
 */
export async function useRepository<T>(
	named: NamedRepository,
	cached: CachedRepository,
	options: HubOptions,
	download: (repository: Repository) => Promise<T>,
): Promise<T> {
	const { type, repo, what } = named;
	const { repoFolder } = cached;
	if (isHubOffline()) throw notInCache(what, repoFolder);
	const hubUrl = hubAddress(options);
	const page = `${hubUrl}/${type === "dataset" ? "datasets/" : ""}${repo}`;
	const token = await readHubToken();
	const { signal = new AbortController().signal } = options;
	try {
		const call = callOptions(hubUrl, token, { limitMs: HUB_ANSWER_MS, signal });
		const commit = cached.commit ?? (await findCommit(named, call));
		const url = `${page}/resolve/${commit}`;
		const snapshot = join(repoFolder, "snapshots", commit);
		return await download({ commit, target: { name: repo, repoFolder, snapshot, url, token, signal }, call });
	} catch (error) {
		throw explainHubError(error, {
			...named,
			access: `no access; ask for it at ${page}`,
			folder: repoFolder,
			hubUrl,
			token,
			signal,
		});
	}
}

async function findCommit({ type, repo, revision }: NamedRepository, call: HubCall): Promise<string> {
	const asked = { name: repo, revision, additionalFields: ["sha" as const], ...call };
	const { sha } = type === "model" ? await modelInfo(asked) : await datasetInfo(asked);
	if (isCommit(sha)) return sha;
	throw new TailtuneError("protocol", `${repo}: expected a commit from the hub`);
}
