import { readdir } from "node:fs/promises";
import { join, sep } from "node:path";
import { datasetInfo, getHFHubCachePath, getRepoFolderName, listFiles } from "@huggingface/hub";
import { MOST_JSON_BYTES, readRegularFile } from "../../shared/files/regular-file.ts";
import {
	assertCommit,
	callOptions,
	explainHubError,
	fetchToCache,
	type HubFile,
	type HubOptions,
	hubAddress,
	isCommit,
	isHubOffline,
	notInCache,
	writeRef,
} from "../hub/hub-files.ts";
import { chooseHubFiles, type HubName, parseHubName } from "./hub-name.ts";

/** Most files of a data set that are listed. */
const MOST_FILES = 10_000;

/**
 * Returns the files of a data set of the hub in the standard cache; missing ones are downloaded and checked. The commit
 * of a revision that is in the cache stays the same, so that a run that is resumed reads the same texts. With
 * HF_HUB_OFFLINE=1 only the cache is used.
 * @param name hub:owner/name[@revision][:split or file]; private data sets need HF_TOKEN
 * @throws TailtuneError "usage", "offline", "not-found", "data", "checksum", "disk" or "interrupted"
 */
export async function fetchHubDataset(name: string, options: HubOptions = {}): Promise<string[]> {
	const hubName = parseHubName(name);
	const cacheDir = options.cacheDir ?? getHFHubCachePath();
	const repoFolder = join(cacheDir, getRepoFolderName({ type: "dataset", name: hubName.repo }));
	const known = await readCommit(repoFolder, hubName.revision);
	if (isHubOffline()) return findCached(hubName, repoFolder, known);
	const hubUrl = hubAddress(options);
	try {
		return await download(hubName, { repoFolder, hubUrl, known }, options);
	} catch (error) {
		const advice = "download it elsewhere and use --data FILE, or HF_HUB_OFFLINE=1 if it is in the cache";
		const request = { what: name, missing: "no hub data set", advice, repoFolder, hubUrl, signal: options.signal };
		throw explainHubError(error, request);
	}
}

interface Place {
	readonly repoFolder: string;
	readonly hubUrl: string;
	/** Commit of the revision in the cache. */
	readonly known: string | undefined;
}

async function download(
	hubName: HubName,
	{ repoFolder, hubUrl, known }: Place,
	options: HubOptions,
): Promise<string[]> {
	const { repo, revision } = hubName;
	const { signal = new AbortController().signal } = options;
	const ask = callOptions(hubUrl, signal);
	const commit = known ?? (await datasetInfo({ name: repo, revision, additionalFields: ["sha"], ...ask })).sha;
	assertCommit(commit, repo);
	const listed: HubFile[] = [];
	for await (const file of listFiles({
		repo: { type: "dataset", name: repo },
		revision: commit,
		recursive: true,
		...ask,
	})) {
		// Paths become files on this machine.
		if (file.type === "file" && isSafe(file.path)) listed.push(file);
		if (listed.length >= MOST_FILES) break;
	}
	const paths = chooseHubFiles(
		hubName,
		listed.map(({ path }) => path),
	);
	const chosen = paths.flatMap((path) => listed.filter((file) => file.path === path));
	const snapshot = join(repoFolder, "snapshots", commit);
	const url = `${hubUrl}/datasets/${repo}/resolve/${commit}`;
	await fetchToCache({ repoFolder, snapshot, url, signal }, chosen, options.onProgress);
	await writeRef(repoFolder, revision, commit);
	return paths.map((path) => join(snapshot, path));
}

async function findCached(hubName: HubName, repoFolder: string, commit: string | undefined): Promise<string[]> {
	const snapshot = join(repoFolder, "snapshots", commit ?? "");
	const found = commit === undefined ? [] : await readdir(snapshot, { recursive: true }).catch(() => []);
	if (found.length === 0) throw notInCache(hubName.name, repoFolder);
	const paths = found.map((path) => path.split(sep).join("/"));
	return chooseHubFiles(hubName, paths).map((path) => join(snapshot, path));
}

async function readCommit(repoFolder: string, revision: string): Promise<string | undefined> {
	if (isCommit(revision)) return revision;
	try {
		const bytes = await readRegularFile(join(repoFolder, "refs", revision), MOST_JSON_BYTES, "data");
		const commit = bytes.toString("utf8").trim();
		return isCommit(commit) ? commit : undefined;
	} catch {
		return undefined;
	}
}

function isSafe(path: string): boolean {
	return !/[\\\0]/.test(path) && path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
