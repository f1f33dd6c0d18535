import { stat } from "node:fs/promises";
import { join } from "node:path";
import { getHFHubCachePath, getRepoFolderName, modelInfo, type PathInfo, pathsInfo } from "@huggingface/hub";
import { TailtuneError } from "../../shared/errors.ts";
import { MOST_JSON_BYTES, pathExists, readRegularFile } from "../../shared/files/regular-file.ts";
import { INDEX_FILE, readShardNames, WEIGHTS_FILE } from "../../shared/model/open-model.ts";
import {
	assertCommit,
	type CacheTarget,
	callOptions,
	explainHubError,
	fetchToCache,
	type HubOptions,
	hubAddress,
	isHubOffline,
	notInCache,
	writeRef,
} from "../hub/hub-files.ts";
import { TOKENIZER_FILES } from "../tokenizer/read-definition.ts";

const CONFIG_FILE = "config.json";

/**
 * Returns the folder of a hub model in the standard cache. If all files are there, the network isn't used. Otherwise
 * the missing files are downloaded and checked; interrupted downloads are resumed. With HF_HUB_OFFLINE=1 only the cache
 * is used.
 * @param repo for example "openai-community/gpt2"; private repositories need HF_TOKEN
 * @throws TailtuneError "offline", "not-found", "checksum", "disk", "interrupted", or "model" if the repository has no
 *   usable files
 */
export function fetchHubModel(repo: string, options: HubOptions): Promise<string> {
	return fetchMissing(repo, options, (repository) => downloadModel(repository, options.onProgress));
}

/** Returns a folder with the `config.json` of a hub model, as `fetchHubModel`; the weights are not downloaded. */
export function fetchHubConfig(repo: string, options: HubOptions = {}): Promise<string> {
	return fetchMissing(repo, options, async ({ target, list }) => {
		await fetchToCache(target, await list([CONFIG_FILE]));
		return target.snapshot;
	});
}

/** The current commit of a repository of the hub. */
interface Repository {
	readonly repo: string;
	readonly commit: string;
	readonly target: CacheTarget;
	/** Lists those of the named files that exist. */
	readonly list: (paths: string[]) => Promise<PathInfo[]>;
}

async function fetchMissing(
	repo: string,
	options: HubOptions,
	download: (repository: Repository) => Promise<string>,
): Promise<string> {
	const repoFolder = join(options.cacheDir ?? getHFHubCachePath(), getRepoFolderName({ type: "model", name: repo }));
	const cached = await findSnapshot(repoFolder);
	if (cached !== undefined) return cached;
	if (isHubOffline()) throw notInCache(`--model ${repo}`, repoFolder);
	const hubUrl = hubAddress(options);
	try {
		return await download(await openRepository(repo, repoFolder, hubUrl, options));
	} catch (error) {
		const missing = "no folder and no hub model";
		const advice = "use --model demo or --model FOLDER instead";
		const { signal } = options;
		throw explainHubError(error, { what: `--model ${repo}`, missing, advice, repoFolder, hubUrl, signal });
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

async function openRepository(
	repo: string,
	repoFolder: string,
	hubUrl: string,
	{ signal = new AbortController().signal }: HubOptions,
): Promise<Repository> {
	const ask = callOptions(hubUrl, signal);
	const { sha: commit } = await modelInfo({ name: repo, revision: "main", additionalFields: ["sha"], ...ask });
	assertCommit(commit, repo);
	const list = async (paths: string[]) => {
		const files = await pathsInfo({ repo, revision: commit, paths, ...ask });
		// Paths become files on this machine, so only requested ones are accepted.
		return files.filter(({ path }) => paths.includes(path));
	};
	const url = `${hubUrl}/${repo}/resolve/${commit}`;
	return { repo, commit, target: { repoFolder, snapshot: join(repoFolder, "snapshots", commit), url, signal }, list };
}

async function downloadModel(
	{ repo, commit, target, list }: Repository,
	onProgress: HubOptions["onProgress"],
): Promise<string> {
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
	await writeRef(target.repoFolder, "main", commit);
	return target.snapshot;
}
