import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { ModelFile } from "../../proto/gen/tailtune/v1/ModelFile.ts";
import { ANSWER_SILENCE_MS } from "../../shared/deadlines.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { hashFile } from "../../shared/exchange/model-manifest.ts";
import type { ExchangeClient } from "../../shared/exchange/tensor-service.ts";
import { ownCacheFolder } from "../../shared/files/cache-folder.ts";
import { asDiskError } from "../../shared/files/write-atomic.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { openModel } from "../../shared/model/open-model.ts";
import { PROTOCOL_VERSION } from "../../shared/rpc/service.ts";
import { fromServiceError } from "../../shared/rpc/status.ts";
import { keepRecentModels } from "./keep-recent-models.ts";
import { readAll } from "./read.ts";
import { retryCall } from "./retry.ts";

export interface FetchModelOptions {
	/**
	 * Folder with a folder `models`, which has one folder per hash, of the last five models. Default: `tailtune` in
	 * XDG_CACHE_HOME or ~/.cache.
	 */
	readonly cacheFolder?: string | undefined;
	/** Called with the received and the total bytes. */
	readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
	readonly signal?: AbortSignal | undefined;
}

interface Download {
	readonly client: ExchangeClient;
	readonly modelHash: string;
	readonly signal: AbortSignal | undefined;
	readonly onBytes: (bytes: number) => void;
}

/**
 * Opens the model of a hash from the cache, or fetches it from the coordinator, continuing an earlier download. Its
 * files and its hash are checked.
 * @throws TailtuneError "not-found" if the coordinator doesn't serve it, "checksum", "disk", "offline" or "interrupted"
 */
export async function fetchModel(
	client: ExchangeClient,
	modelHash: string,
	{ cacheFolder = ownCacheFolder(), onProgress = () => {}, signal }: FetchModelOptions,
): Promise<ModelFiles> {
	if (!/^[0-9a-f]{64}$/.test(modelHash))
		throw new TailtuneError("protocol", `model hash ${JSON.stringify(modelHash)}: expected 64 hexadecimal digits`);
	const files = await retryCall(() => askManifest(client, modelHash, signal), signal);
	const folder = join(cacheFolder, "models", modelHash);
	await keepRecentModels(folder);
	const cached = await openChecked(folder, files, modelHash);
	if (cached) return cached;
	const totalBytes = files.reduce((sum, { byteLength }) => sum + byteLength, 0);
	let doneBytes = 0;
	const onBytes = (bytes: number) => {
		doneBytes += bytes;
		onProgress(doneBytes, totalBytes);
	};
	const aside = join(cacheFolder, "models", `.${modelHash}.part`);
	let problem: unknown;
	try {
		await rm(folder, { recursive: true, force: true });
		await mkdir(aside, { recursive: true });
		for (const file of files) await downloadFile({ client, modelHash, signal, onBytes }, aside, file);
		await rename(aside, folder);
	} catch (error) {
		problem = asDiskError(aside, error);
	}
	// If the download failed, another worker of this machine may have completed the same files.
	const fetched = await openChecked(folder, files, modelHash);
	if (fetched) return fetched;
	if (problem) throw problem;
	await rm(folder, { recursive: true, force: true });
	throw new TailtuneError("checksum", `the model that the coordinator sent is not the one of hash ${modelHash}`);
}

function askManifest(client: ExchangeClient, modelHash: string, signal: AbortSignal | undefined): Promise<ModelFile[]> {
	return new Promise((resolve, reject) => {
		const request = { protocolVersion: PROTOCOL_VERSION, modelHash };
		const deadline = Date.now() + ANSWER_SILENCE_MS;
		const cancel = () => call.cancel();
		const call = client.getModelManifest(request, { deadline }, (error, response) => {
			signal?.removeEventListener("abort", cancel);
			const files = response?.files ?? [];
			// The names are used as file names on this machine.
			const stray = files.find(({ name }) => name !== basename(name) || !/^\w[\w.-]*\.(json|safetensors)$/.test(name));
			if (error) reject(fromServiceError(error));
			else if (stray) reject(new TailtuneError("protocol", `found model file ${JSON.stringify(stray.name)}`));
			else resolve(files);
		});
		signal?.addEventListener("abort", cancel);
		if (signal?.aborted) cancel();
	});
}

/** Opens a folder if it has exactly this model. Files that aren't part of the hash are compared with the manifest. */
async function openChecked(
	folder: string,
	files: readonly ModelFile[],
	modelHash: string,
): Promise<ModelFiles | undefined> {
	for (const { name, byteLength, sha256 } of files) {
		const path = join(folder, name);
		const stats = await stat(path).catch(() => undefined);
		if (stats?.size !== byteLength) return undefined;
		if (name.endsWith(".json") && (await hashFile(path)) !== sha256) return undefined;
	}
	const model = await openModel(folder).catch(() => undefined);
	return (await model?.hash()) === modelHash ? model : undefined;
}

async function downloadFile(download: Download, folder: string, file: ModelFile): Promise<void> {
	const path = join(folder, file.name);
	const handle = await open(path, "a").then(async (created) => {
		await created.close();
		return open(path, "r+");
	});
	try {
		if ((await handle.stat()).size > file.byteLength) await handle.truncate(0);
		download.onBytes((await handle.stat()).size);
		await retryCall(() => fill(download, handle, file), download.signal);
		await handle.sync();
	} finally {
		await handle.close();
	}
	const found = await hashFile(path);
	if (found === file.sha256) return;
	await rm(path, { force: true });
	throw new TailtuneError("checksum", `${path}: found sha256 ${found}, expected ${file.sha256}`);
}

// Several workers may write the same file: each begins at its end and writes the same bytes.
async function fill(download: Download, handle: FileHandle, { name, byteLength }: ModelFile): Promise<void> {
	const { client, modelHash, signal, onBytes } = download;
	let offset = (await handle.stat()).size;
	if (offset >= byteLength) return;
	const request = { protocolVersion: PROTOCOL_VERSION, modelHash, name, byteOffset: offset };
	for await (const { chunk } of readAll(client.getModelFile(request), { signal })) {
		if (chunk?.byteOffset !== offset || offset + chunk.data.length > byteLength) {
			const message = `${name}: a chunk begins at byte ${chunk?.byteOffset}, expected ${offset} of ${byteLength}`;
			throw new TailtuneError("protocol", message);
		}
		await handle.write(chunk.data, 0, chunk.data.length, offset);
		offset += chunk.data.length;
		onBytes(chunk.data.length);
	}
	if (offset !== byteLength) throw new TailtuneError("offline", `${name}: ended at byte ${offset} of ${byteLength}`);
}
