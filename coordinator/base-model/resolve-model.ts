import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { TailtuneError } from "../../shared/errors.ts";
import { ownCacheFolder } from "../../shared/files/cache-folder.ts";
import { GPT2_SIZES, type Gpt2Size, writeRandomModel } from "../../shared/model/random-model.ts";
import type { HubOptions } from "../hub/hub-access.ts";
import { type HubId, parseHubId } from "./hub-id.ts";

export interface ResolveOptions extends HubOptions {
	/** Seed of `random:` models; default 123. */
	readonly seed?: number;
}

/** SHA-256 of the demo model's weights, as in its card. */
export const DEMO_MODEL_SHA256 = "290014c25208b955375a70acfa6c916135dae6899aeb400307d18b383ad5b693";

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
 * Returns a folder for `openModel` from the value of `--model`: `demo`, a folder, `random:SIZE` (generated once, then
 * cached) or a hub id (downloaded once, then cached).
 * @throws TailtuneError "usage", "not-found", or as `fetchHubModel`
 */
export async function resolveModel(name: string, options: ResolveOptions = {}): Promise<string> {
	if (name === "demo") return checkedDemoFolder();
	if (name.startsWith("random:")) return resolveRandom(name.slice("random:".length), options);
	if (await isModelFolder(name)) return resolve(name);
	if (await stat(name).catch(() => undefined))
		throw new TailtuneError("not-found", `--model ${name}: found a file, expected a folder with config.json`);
	const id = parseHubId(name);
	if (id) {
		// Loaded only when needed: the hub's client takes a third of the loading time.
		const { fetchHubModel } = await import("./hub-model.ts");
		return fetchHubModel(id, options);
	}
	const expected = "expected a folder, a hub id (for example gpt2 or owner/name@revision), demo, or random:small";
	throw new TailtuneError("not-found", `--model ${name}: no such folder, ${expected}`);
}

async function checkedDemoFolder(): Promise<string> {
	const hash = createHash("sha256");
	await pipeline(createReadStream(join(demoFolder, "model.safetensors")), hash);
	const found = hash.digest("hex");
	if (found === DEMO_MODEL_SHA256) return demoFolder;
	const message = `${demoFolder}/model.safetensors: found sha256 ${found}, expected ${DEMO_MODEL_SHA256}`;
	throw new TailtuneError("checksum", message);
}

async function resolveRandom(
	size: string,
	{ seed = 123, cacheDir, listener, signal }: ResolveOptions,
): Promise<string> {
	if (!Object.hasOwn(GPT2_SIZES, size)) {
		const sizes = Object.keys(GPT2_SIZES).join("|");
		throw new TailtuneError("usage", `--model random:${size}: unknown size, expected random:${sizes}`);
	}
	const folder = join(cacheDir ?? ownCacheFolder(), `random-${size}-${seed}`);
	const present = await stat(folder).catch(() => undefined);
	const report = listener?.download(`random:${size}`);
	if (!present) await writeRandomModel(folder, GPT2_SIZES[size as Gpt2Size], seed, report, signal);
	return folder;
}
