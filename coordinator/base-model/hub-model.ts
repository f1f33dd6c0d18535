import { mkdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathsInfo } from "@huggingface/hub";
import { TailtuneError } from "../../shared/errors.ts";
import { pathExists } from "../../shared/files/regular-file.ts";
import { CONVERT_COMMAND, INDEX_FILE, readShardNames, WEIGHTS_FILE } from "../../shared/model/open-model.ts";
import { type HubOptions, isHubOffline } from "../hub/hub-access.ts";
import { fetchToCache, type HubFile, writeRef } from "../hub/hub-cache.ts";
import {
	type CachedRepository,
	findInCache,
	type NamedRepository,
	type Repository,
	useRepository,
} from "../hub/use-repository.ts";
import { TOKENIZER_FILE, TOKENIZER_FILES } from "../tokenizer/read-files.ts";
import type { HubId } from "./hub-id.ts";

const CONFIG_FILE = "config.json";
/** Weights that can't be read; they are only named in a message. */
const PICKLED_FILE = "pytorch_model.bin";

/**
 * Returns the folder of a hub model in the standard cache; its name is the commit. If all files are there, the network
 * isn't used. Otherwise the missing files are downloaded and checked; interrupted downloads are resumed. With
 * HF_HUB_OFFLINE=1 only the cache is used. Private and gated models need a token.
 * @throws TailtuneError "usage", "offline", "not-found", "denied", "checksum", "disk", "interrupted", or "model" if the
 *   repository has no usable files
 */
export async function fetchHubModel(id: HubId, options: HubOptions): Promise<string> {
	return fetchModelFiles(id, options, findModel, downloadModel);
}

/** Returns a folder with configuration and tokenizer of a hub model, as `fetchHubModel`; weights aren't downloaded. */
export async function fetchHubConfig(id: HubId, options: HubOptions = {}): Promise<string> {
	return fetchModelFiles(id, options, findConfig, downloadConfig);
}

/**
 * Returns the snapshot of a commit in the cache.
 * @param find returns the snapshot if it has the files that are needed, except those of the tokenizer
 * @param download downloads all files that are needed
 */
async function fetchModelFiles(
	id: HubId,
	options: HubOptions,
	find: (cached: CachedRepository) => Promise<string | undefined>,
	download: (named: NamedRepository, repository: Repository, listener: HubOptions["listener"]) => Promise<void>,
): Promise<string> {
	const named = nameModel(id);
	const cached = await findInCache(named, options);
	const found = await find(cached);
	if (found && (isHubOffline() || (await knowsTokenizer(cached, found)))) return found;
	try {
		return await useRepository(named, cached, options, async (repository) => {
			await download(named, repository, options.listener);
			await writeRef(cached.repoFolder, id.revision, repository.commit);
			return repository.target.snapshot;
		});
	} catch (error) {
		if (found && error instanceof TailtuneError && error.code === "offline") return found;
		throw error;
	}
}

function nameModel({ repo, revision }: HubId): NamedRepository {
	const [what, missing] =
		revision === "main"
			? [`--model ${repo}`, "no folder and no hub model"]
			: [`--model ${repo}@${revision}`, "no hub model or no revision"];
	return { type: "model", repo, revision, what, missing, advice: "use --model demo or --model FOLDER instead" };
}

/** Returns the snapshot of a cached commit if it has a configuration. */
async function findConfig({ repoFolder, commit }: CachedRepository): Promise<string | undefined> {
	if (commit === undefined) return undefined;
	const snapshot = join(repoFolder, "snapshots", commit);
	return (await pathExists(join(snapshot, CONFIG_FILE), "model")) ? snapshot : undefined;
}

/** Returns the snapshot of a cached commit if it has a configuration and all weights. */
async function findModel(cached: CachedRepository): Promise<string | undefined> {
	const snapshot = await findConfig(cached);
	if (snapshot === undefined) return undefined;
	try {
		const isWhole = await pathExists(join(snapshot, WEIGHTS_FILE), "model");
		for (const shard of isWhole ? [] : await readShardNames(snapshot)) await stat(join(snapshot, shard));
		return snapshot;
	} catch {
		return undefined;
	}
}

/** Path of an empty file with which Hugging Face's own tools note that a commit has no `tokenizer.json`. */
function absencePath(repoFolder: string, commit: string): string {
	return join(repoFolder, ".no_exist", commit, TOKENIZER_FILE);
}

/**
 * Whether a snapshot has tokenizer files, or its repository is known to have none. Another tool may have loaded only
 * the weights.
 */
async function knowsTokenizer({ repoFolder, commit = "" }: CachedRepository, snapshot: string): Promise<boolean> {
	const paths = [...TOKENIZER_FILES.map((name) => join(snapshot, name)), absencePath(repoFolder, commit)];
	return (await Promise.all(paths.map((path) => pathExists(path, "model")))).includes(true);
}

/** Lists those of the named files that exist. */
async function list({ repo }: NamedRepository, { commit, call }: Repository, paths: string[]): Promise<HubFile[]> {
	const files = await pathsInfo({ repo, revision: commit, paths, ...call });
	// Paths become files on this machine, so only requested ones are accepted.
	return files.filter(({ path }) => paths.includes(path));
}

async function downloadModel(
	named: NamedRepository,
	repository: Repository,
	listener: HubOptions["listener"],
): Promise<void> {
	const { target } = repository;
	const names = [CONFIG_FILE, WEIGHTS_FILE, INDEX_FILE, PICKLED_FILE, ...TOKENIZER_FILES];
	const found = await list(named, repository, names);
	const has = (name: string) => found.some(({ path }) => path === name);
	if (!has(CONFIG_FILE) || !(has(WEIGHTS_FILE) || has(INDEX_FILE))) {
		const advice = has(PICKLED_FILE) ? `; to convert it, download it and run in its folder: ${CONVERT_COMMAND}` : "";
		throw notUsable(named, found, advice);
	}
	await noteAbsence(repository, found);
	const unused = [PICKLED_FILE, has(WEIGHTS_FILE) ? INDEX_FILE : ""];
	const needed = found.filter(({ path }) => !unused.includes(path));
	await fetchToCache(target, needed, has(WEIGHTS_FILE) ? listener : undefined);
	if (has(WEIGHTS_FILE)) return;
	await fetchToCache(target, await list(named, repository, await readShardNames(target.snapshot)), listener);
}

async function downloadConfig(named: NamedRepository, repository: Repository): Promise<void> {
	const found = await list(named, repository, [CONFIG_FILE, ...TOKENIZER_FILES]);
	if (!found.some(({ path }) => path === CONFIG_FILE)) throw notUsable(named, found);
	await noteAbsence(repository, found);
	await fetchToCache(repository.target, found);
}

function notUsable({ what }: NamedRepository, found: readonly HubFile[], advice = ""): TailtuneError {
	const files = found.map(({ path }) => path).join(", ") || "no files of a model";
	const expected = `expected a GPT-2 with ${CONFIG_FILE} and ${WEIGHTS_FILE}`;
	return new TailtuneError("model", `${what}: found ${files}, ${expected}${advice}`);
}

/** Notes that a commit has no `tokenizer.json`, if it has none. */
async function noteAbsence({ commit, target }: Repository, files: readonly HubFile[]): Promise<void> {
	if (files.some(({ path }) => path === TOKENIZER_FILE)) return;
	const note = absencePath(target.repoFolder, commit);
	await mkdir(dirname(note), { recursive: true });
	await writeFile(note, "");
}
