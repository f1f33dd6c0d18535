import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { GetModelFileRequest } from "../../proto/gen/tailtune/v1/GetModelFileRequest.ts";
import type { GetModelManifestRequest } from "../../proto/gen/tailtune/v1/GetModelManifestRequest.ts";
import type { GetModelManifestResponse } from "../../proto/gen/tailtune/v1/GetModelManifestResponse.ts";
import type { ModelFile } from "../../proto/gen/tailtune/v1/ModelFile.ts";
import type { TensorChunk } from "../../proto/gen/tailtune/v1/TensorChunk.ts";
import { INDEX_FILE, readShardNames, WEIGHTS_FILE } from "../model/open-model.ts";
import { Refusal } from "../rpc/refusal.ts";
import { checkProtocolVersion } from "./tensor-service.ts";
import { CHUNK_BYTES } from "./tensor-stream.ts";

const CONFIG_FILE = "config.json";

/** Chunks of files have no checksum of their own: the manifest has one for the whole file. */
const NO_CHECKSUM = Buffer.alloc(0);

/** The models that workers may fetch. Only the model's own files are served, no other files of their folders. */
export class ServedModels {
	readonly #folders: ReadonlyMap<string, string>;
	readonly #manifests = new Map<string, Promise<ModelFile[]>>();

	/** @param folders by the hash of the weights */
	constructor(folders: ReadonlyMap<string, string>) {
		this.#folders = folders;
	}

	/** Returns names, sizes and checksums of a model's files; computed once. @throws Refusal if it isn't served */
	async manifest(request: GetModelManifestRequest): Promise<GetModelManifestResponse> {
		return { files: await this.#files(request) };
	}

	/** Yields the bytes of a file from an offset on. @throws Refusal if the model, file or offset doesn't exist */
	async *file(request: GetModelFileRequest): AsyncGenerator<{ chunk: TensorChunk }> {
		const folder = this.#folderOf(request);
		const { name, byteOffset } = request;
		const file = (await this.#files(request)).find((each) => each.name === name);
		if (!file)
			throw new Refusal("REFUSAL_UNKNOWN_FILE", `model ${request.modelHash} has no file ${JSON.stringify(name)}`);
		if (byteOffset > file.byteLength)
			throw new Refusal("REFUSAL_OFFSET", `${name}: byte ${byteOffset}, expected at most ${file.byteLength}`);
		const handle = await open(join(folder, name));
		try {
			// A chunk is sent before the next one is read, so one buffer is enough.
			const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
			for (let place = byteOffset; place < file.byteLength; ) {
				const { bytesRead } = await handle.read(buffer, 0, Math.min(CHUNK_BYTES, file.byteLength - place), place);
				if (bytesRead === 0)
					throw new Refusal("REFUSAL_OFFSET", `${name} has become shorter than ${file.byteLength} bytes`);
				yield { chunk: { byteOffset: place, data: buffer.subarray(0, bytesRead), xxh64: NO_CHECKSUM } };
				place += bytesRead;
			}
		} finally {
			await handle.close();
		}
	}

	#folderOf({ protocolVersion, modelHash }: GetModelManifestRequest): string {
		checkProtocolVersion({ protocolVersion });
		const folder = this.#folders.get(modelHash);
		if (folder !== undefined) return folder;
		throw new Refusal("REFUSAL_UNKNOWN_MODEL", `model ${JSON.stringify(modelHash)} is not served`);
	}

	#files(request: GetModelManifestRequest): Promise<ModelFile[]> {
		const folder = this.#folderOf(request);
		const known = this.#manifests.get(folder);
		if (known) return known;
		const served = new Set(this.#folders.values());
		for (const other of this.#manifests.keys()) if (!served.has(other)) this.#manifests.delete(other);
		const manifest = describeFiles(folder);
		this.#manifests.set(folder, manifest);
		manifest.catch(() => this.#manifests.delete(folder));
		return manifest;
	}
}

async function describeFiles(folder: string): Promise<ModelFile[]> {
	const whole = await stat(join(folder, WEIGHTS_FILE)).catch(() => undefined);
	const weights = whole ? [WEIGHTS_FILE] : [INDEX_FILE, ...(await readShardNames(folder))];
	const files: ModelFile[] = [];
	for (const name of [CONFIG_FILE, ...weights]) {
		const path = join(folder, name);
		files.push({ name, byteLength: (await stat(path)).size, sha256: await hashFile(path) });
	}
	return files;
}

/** Returns the sha256 of a file, hexadecimal. */
export async function hashFile(path: string): Promise<string> {
	const hash = createHash("sha256");
	await pipeline(createReadStream(path, { highWaterMark: CHUNK_BYTES }), hash);
	return hash.digest("hex");
}
