import { readdir } from "node:fs/promises";
import { join, sep } from "node:path";
import { listFiles } from "@huggingface/hub";
import { type HubOptions, isHubOffline } from "../hub/hub-access.ts";
import { fetchToCache, type HubFile, writeRef } from "../hub/hub-cache.ts";
import { notInCache } from "../hub/hub-error.ts";
import {
	type CachedRepository,
	findInCache,
	type NamedRepository,
	type Repository,
	useRepository,
} from "../hub/use-repository.ts";
import { chooseHubFiles, formatHubName, type HubName, parseHubName } from "./hub-name.ts";

/** Most files of a data set that are listed. */
const MOST_FILES = 10_000;

/** A data set of the hub in the cache. */
export interface HubDataset {
	readonly files: readonly string[];
	/** A name that stands for the same files later: with the commit. */
	readonly resolvedName: string;
}

/**
 * Returns the files of a data set of the hub in the standard cache; missing ones are downloaded and checked. The commit
 * of a revision that is in the cache stays the same, so that a run that is resumed reads the same texts. With
 * HF_HUB_OFFLINE=1 only the cache is used.
 * @param name hub:owner/name[@revision][:split or file]; private data sets need a token
 * @throws TailtuneError "usage", "offline", "not-found", "denied", "data", "checksum", "disk" or "interrupted"
 */
export async function fetchHubDataset(name: string, options: HubOptions = {}): Promise<HubDataset> {
	const hubName = parseHubName(name);
	const { repo, revision } = hubName;
	const advice = "download it elsewhere and use --data FILE, or HF_HUB_OFFLINE=1 if it is in the cache";
	const named: NamedRepository = { type: "dataset", repo, revision, what: name, missing: "no hub data set", advice };
	const cached = await findInCache(named, options);
	if (isHubOffline()) return findCached(hubName, cached);
	return useRepository(named, cached, options, async (repository) => {
		const { commit, target } = repository;
		const listed = await listRepository(hubName, repository);
		const paths = chooseHubFiles(
			hubName,
			listed.map(({ path }) => path),
		);
		const chosen = paths.flatMap((path) => listed.filter((file) => file.path === path));
		await fetchToCache(target, chosen, options.listener);
		await writeRef(cached.repoFolder, revision, commit);
		return datasetOf(hubName, commit, target.snapshot, paths);
	});
}

async function listRepository({ repo }: HubName, { commit, call }: Repository): Promise<HubFile[]> {
	const listed: HubFile[] = [];
	const files = listFiles({ repo: { type: "dataset", name: repo }, revision: commit, recursive: true, ...call });
	for await (const file of files) {
		// Paths become files on this machine.
		if (file.type === "file" && isSafe(file.path)) listed.push(file);
		if (listed.length >= MOST_FILES) break;
	}
	return listed;
}

async function findCached(hubName: HubName, { repoFolder, commit }: CachedRepository): Promise<HubDataset> {
	if (commit === undefined) throw notInCache(hubName.name, repoFolder);
	const snapshot = join(repoFolder, "snapshots", commit);
	const found = await readdir(snapshot, { recursive: true }).catch(() => []);
	if (found.length === 0) throw notInCache(hubName.name, repoFolder);
	const paths = found.map((path) => path.split(sep).join("/"));
	return datasetOf(hubName, commit, snapshot, chooseHubFiles(hubName, paths));
}

function datasetOf(hubName: HubName, commit: string, snapshot: string, paths: readonly string[]): HubDataset {
	return { files: paths.map((path) => join(snapshot, path)), resolvedName: formatHubName(hubName, commit) };
}

function isSafe(path: string): boolean {
	return !/[\\\0]/.test(path) && path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
