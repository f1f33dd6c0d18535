import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { TailtuneError } from "../../shared/errors.ts";
import { ownCacheFolder } from "../../shared/files/cache-folder.ts";
import { GPT2_SIZES, type Gpt2Size, writeRandomModel } from "../../shared/model/random-model.ts";
import type { HubOptions } from "../hub/hub-files.ts";

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

/** Whether the value of `--model` has the form of a hub id, and nothing on this machine has that name. */
export async function isHubId(name: string): Promise<boolean> {
	return /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(name) && (await stat(name).catch(() => undefined)) === undefined;
}

/**
 * Returns a folder for `openModel` from the value of `--model`: `demo`, a folder, `random:SIZE` (generated once, then
 * cached) or a hub id (downloaded once, then cached).
 * @throws TailtuneError "usage", "not-found", "offline", "checksum", "disk" or "interrupted"
 */
export async function resolveModel(name: string, options: ResolveOptions = {}): Promise<string> {
	if (name === "demo") return checkedDemoFolder();
	if (name.startsWith("random:")) return resolveRandom(name.slice("random:".length), options);
	if (await isModelFolder(name)) return resolve(name);
	if (await stat(name).catch(() => undefined))
		throw new TailtuneError("not-found", `--model ${name}: found a file, expected a folder with config.json`);
	if (await isHubId(name)) {
		// Loaded only when needed: the hub's client takes a third of the loading time.
		const { fetchHubModel } = await import("./hub-cache.ts");
		return fetchHubModel(name, options);
	}
	const expected = "expected a folder, a hub id (for example openai-community/gpt2), demo, or random:small";
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
	{ seed = 123, cacheDir, onProgress, signal }: ResolveOptions,
): Promise<string> {
	if (!Object.hasOwn(GPT2_SIZES, size)) {
		const sizes = Object.keys(GPT2_SIZES).join("|");
		throw new TailtuneError("usage", `--model random:${size}: unknown size, expected random:${sizes}`);
	}
	const folder = join(cacheDir ?? ownCacheFolder(), `random-${size}-${seed}`);
	const present = await stat(folder).catch(() => undefined);
	if (!present) await writeRandomModel(folder, GPT2_SIZES[size as Gpt2Size], seed, onProgress, signal);
	return folder;
}
