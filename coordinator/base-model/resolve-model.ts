import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { TailtuneError } from "../../shared/errors.ts";
import { ownCacheFolder } from "../../shared/files/cache-folder.ts";
import { pathExists } from "../../shared/files/regular-file.ts";
import { GPT2_SIZES, type Gpt2Size, writeRandomModel } from "../../shared/model/random-model.ts";
import type { HubOptions } from "../hub/hub-access.ts";
import { type HubId, parseHubId } from "./hub-id.ts";

export interface ResolveOptions extends HubOptions {
	/** Seed of `random:` models; default 123. */
	readonly seed?: number;
}

/** SHA-256 of the demo model's weights, as in its card. */
export const DEMO_MODEL_SHA256 = "290014c25208b955375a70acfa6c916135dae6899aeb400307d18b383ad5b693";

const EXPECTED_NAME = "expected a folder, a hub id (for example gpt2 or owner/name@revision), demo, or random:small";

const demoFolder = fileURLToPath(new URL("./demo-model", import.meta.url));

/** Whether the value of `--model` is a folder, not `demo`, `random:SIZE` or a hub id. */
export async function isModelFolder(name: string): Promise<boolean> {
	if (name === "demo" || name.startsWith("random:")) return false;
	return (await stat(name).catch(() => undefined))?.isDirectory() === true;
}

/** Returns the hub id of the value of `--model`; undefined if it is something else or a file or folder here. */
export async function findHubId(name: string): Promise<HubId | undefined> {
	return (await stat(name).catch(() => undefined)) ? undefined : parseHubId(name);
}

/**
 * Returns a value of `--model` that names the same files later and in other folders: an absolute path, or a hub id with
 * its commit.
 * @param folder the folder of the model, as `resolveModel` returns it
 */
export async function resolveModelName(name: string, folder: string): Promise<string> {
	if (await isModelFolder(name)) return resolve(name);
	const id = await findHubId(name);
	return id ? `${id.repo}@${basename(folder)}` : name;
}

/**
 * Checks the value of `--model` as far as that is possible without a download or reading the weights.
 * @throws TailtuneError "usage" or "not-found" that names the flag
 */
export async function checkModelName(name: string): Promise<void> {
	if (name === "demo") return;
	if (name.startsWith("random:")) return assertSize(name.slice("random:".length));
	const fail = (found: string) => {
		throw new TailtuneError("not-found", `--model ${name}: ${found}`);
	};
	const expected = "expected a folder with config.json and model.safetensors (and a tokenizer, unless it is GPT-2's)";
	if (await isModelFolder(name)) {
		if (!(await pathExists(join(name, "config.json"), "model")))
			fail(`found a folder without config.json, ${expected}`);
	} else if (await stat(name).catch(() => undefined)) fail(`found a file, ${expected}`);
	else if (!parseHubId(name)) fail(`no such folder, ${EXPECTED_NAME}`);
}

/**
 * Returns a folder for `openModel` from the value of `--model`: `demo`, a folder, `random:SIZE` (generated once, then
 * cached) or a hub id (downloaded once, then cached).
 * @throws TailtuneError as `checkModelName` and `fetchHubModel`
 */
export async function resolveModel(name: string, options: ResolveOptions = {}): Promise<string> {
	await checkModelName(name);
	if (name === "demo") return checkedDemoFolder();
	if (name.startsWith("random:")) return resolveRandom(name.slice("random:".length) as Gpt2Size, options);
	const id = await findHubId(name);
	if (!id) return resolve(name);
	// Loaded only when needed: the hub's client takes a third of the loading time.
	const { fetchHubModel } = await import("./hub-model.ts");
	return fetchHubModel(id, options);
}

async function checkedDemoFolder(): Promise<string> {
	const hash = createHash("sha256");
	await pipeline(createReadStream(join(demoFolder, "model.safetensors")), hash);
	const found = hash.digest("hex");
	if (found === DEMO_MODEL_SHA256) return demoFolder;
	const message = `${demoFolder}/model.safetensors: found sha256 ${found}, expected ${DEMO_MODEL_SHA256}`;
	throw new TailtuneError("checksum", message);
}

function assertSize(size: string): void {
	if (Object.hasOwn(GPT2_SIZES, size)) return;
	const sizes = Object.keys(GPT2_SIZES).join("|");
	throw new TailtuneError("usage", `--model random:${size}: unknown size, expected random:${sizes}`);
}

async function resolveRandom(
	size: Gpt2Size,
	{ seed = 123, cacheDir, listener, signal }: ResolveOptions,
): Promise<string> {
	const folder = join(cacheDir ?? ownCacheFolder(), `random-${size}-${seed}`);
	const present = await stat(folder).catch(() => undefined);
	const report = listener?.download(`random:${size}`);
	if (!present) await writeRandomModel(folder, GPT2_SIZES[size], seed, report, signal);
	return folder;
}
