import { createHash } from "node:crypto";
import { readdir, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { debuglog } from "node:util";
import {
	bytesOf,
	hexChecksum,
	readChecked,
	storedChecksum,
	writeChecked,
} from "../../shared/model/checked-safetensors.ts";
import { openToRead, readFully } from "../../shared/model/safetensors.ts";
import type { FileTensor } from "../../shared/model/safetensors-header.ts";
import { DiskCacheQuota } from "./disk-cache-quota.ts";

export interface FeatureCacheOptions {
	/** Contains one folder for each kind of features. */
	readonly folder: string;
	/** The most bytes that all files may use together. */
	readonly bytes: number;
}

interface CachedTensor {
	readonly tensor: FileTensor;
	readonly checksum: string | undefined;
}

const log = debuglog("tailtune");

/**
 * The most bytes that may wait in memory to be written. A computation blocks the thread, so writing may fall behind.
 */
const MAX_PENDING_BYTES = 128 << 20;

/**
 * Keeps features on disk between runs. Texts that were computed together are in one *feature file*: a safetensors file
 * with checksums, in which each tensor has the hash of its text's key as its name. The cache never fails a run: files
 * are written in the background, and a file that can't be read or is damaged is removed, and its features are computed
 * again.
 */
export class FeatureCache {
	readonly #folder: string;
	readonly #quota: DiskCacheQuota;
	#index: Promise<Map<string, CachedTensor>> | undefined;
	#writing: Promise<void> = Promise.resolve();
	#pendingBytes = 0;

	/** @param kind everything that features depend on, except the text's key */
	constructor(kind: object, { folder, bytes }: FeatureCacheOptions) {
		this.#folder = join(folder, hashOf(JSON.stringify(kind)));
		this.#quota = new DiskCacheQuota(folder, bytes);
	}

	/**
	 * Reads the features of the given keys, bit for bit as they were added. Keys that are not in the cache are left out.
	 */
	async load(keys: readonly string[]): Promise<Map<string, Float32Array>> {
		this.#index ??= this.#readIndex();
		const index = await this.#index;
		const byFile = new Map<string, [string, CachedTensor][]>();
		for (const key of keys) {
			const cached = index.get(hashOf(key));
			if (!cached) continue;
			const wanted = byFile.get(cached.tensor.file);
			if (wanted) wanted.push([key, cached]);
			else byFile.set(cached.tensor.file, [[key, cached]]);
		}
		const found = new Map<string, Float32Array>();
		for (const [path, wanted] of byFile)
			await this.#readFile(path, wanted, found).catch((error) => this.#remove(path, error));
		return found;
	}

	/**
	 * Starts to write features that were computed together. Waits for the disk if too many bytes are pending. Only
	 * reads the arrays.
	 */
	async add(entries: ReadonlyMap<string, Float32Array>): Promise<void> {
		if (entries.size === 0) return;
		const bytes = bytesIn(entries);
		this.#pendingBytes += bytes;
		this.#writing = this.#writing
			.then(() => this.#write(entries))
			.catch((error) => log("features are not kept on disk: %s", error))
			.then(() => {
				this.#pendingBytes -= bytes;
			});
		if (this.#pendingBytes > MAX_PENDING_BYTES) await this.#writing;
	}

	/** Waits until all files are written. */
	async flush(): Promise<void> {
		await this.#writing;
	}

	async #readIndex(): Promise<Map<string, CachedTensor>> {
		const index = new Map<string, CachedTensor>();
		const names = await readdir(this.#folder).catch(() => []);
		for (const name of names.filter((of) => of.endsWith(".safetensors"))) {
			const path = join(this.#folder, name);
			try {
				const file = await readChecked(path);
				for (const [hash, tensor] of file.tensors) index.set(hash, { tensor, checksum: storedChecksum(file, hash) });
			} catch (error) {
				await this.#remove(path, error);
			}
		}
		return index;
	}

	async #readFile(path: string, wanted: readonly [string, CachedTensor][], found: Map<string, Float32Array>) {
		const handle = await openToRead(path);
		try {
			for (const [key, { tensor, checksum }] of wanted) {
				const numbers = new Float32Array(tensor.byteLength / 4);
				const bytes = bytesOf(numbers);
				await readFully(handle, bytes, tensor.offset, path);
				if (hexChecksum(bytes) !== checksum) throw new Error("checksum mismatch");
				found.set(key, numbers);
			}
		} finally {
			await handle.close();
		}
		if (this.#quota.touch(path)) await utimes(path, new Date(), new Date());
	}

	async #write(entries: ReadonlyMap<string, Float32Array>): Promise<void> {
		const vectors = Object.fromEntries([...entries].map(([key, data]) => [hashOf(key), data]));
		// The name depends only on the texts: workers that compute the same texts write the same file.
		const path = join(this.#folder, `${hashOf(Object.keys(vectors).sort().join())}.safetensors`);
		if (!(await this.#quota.reserve(path, bytesIn(entries)))) return;
		await writeChecked(path, vectors);
	}

	async #remove(path: string, error: unknown): Promise<void> {
		log("features on disk can't be read and are computed again: %s: %s", path, error);
		await rm(path, { force: true }).catch(() => {});
	}
}

function hashOf(text: string): string {
	return createHash("sha256").update(text).digest("hex");
}

function bytesIn(entries: ReadonlyMap<string, Float32Array>): number {
	return [...entries.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
}
