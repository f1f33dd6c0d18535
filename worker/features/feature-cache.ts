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
import { PackRoom } from "./disk-cache-quota.ts";

export interface FeatureCacheOptions {
	/** Holds a folder for each kind of features. */
	readonly folder: string;
	/** The most that all of it may take. */
	readonly bytes: number;
}

interface CachedTensor {
	readonly tensor: FileTensor;
	readonly checksum: string | undefined;
}

const log = debuglog("tailtune");

/** The most that waits in memory to be written: computing holds the thread, so that a pack takes longer than the next. */
const WAITING_BYTES = 128 << 20;

/**
 * Features on disk between runs: a safetensors file with checksums, a *pack*, for the texts that were computed together,
 * each tensor under the hash of its text's key. It never fails a run: packs are written in the background, and one that
 * can't be read or is damaged is removed and its features are computed again.
 */
export class FeatureCache {
	readonly #folder: string;
	readonly #room: PackRoom;
	#index: Promise<Map<string, CachedTensor>> | undefined;
	#writing: Promise<void> = Promise.resolve();
	#waitingBytes = 0;

	/** @param kind everything but a text's key that its features depend on */
	constructor(kind: object, { folder, bytes }: FeatureCacheOptions) {
		this.#folder = join(folder, hashOf(JSON.stringify(kind)));
		this.#room = new PackRoom(folder, bytes);
	}

	/** The features under those of the keys that are there, bit for bit as they were added. */
	async load(keys: readonly string[]): Promise<Map<string, Float32Array>> {
		this.#index ??= this.#readIndex();
		const index = await this.#index;
		const byPack = new Map<string, [string, CachedTensor][]>();
		for (const key of keys) {
			const cached = index.get(hashOf(key));
			if (!cached) continue;
			const wanted = byPack.get(cached.tensor.file);
			if (wanted) wanted.push([key, cached]);
			else byPack.set(cached.tensor.file, [[key, cached]]);
		}
		const found = new Map<string, Float32Array>();
		for (const [pack, wanted] of byPack)
			await this.#readPack(pack, wanted, found).catch((error) => this.#drop(pack, error));
		return found;
	}

	/** Begins to write what was computed together, and waits for the disk where too much does; the arrays are only read. */
	async add(entries: ReadonlyMap<string, Float32Array>): Promise<void> {
		if (entries.size === 0) return;
		const bytes = bytesIn(entries);
		this.#waitingBytes += bytes;
		this.#writing = this.#writing
			.then(() => this.#write(entries))
			.catch((error) => log("features are not kept on disk: %s", error))
			.then(() => {
				this.#waitingBytes -= bytes;
			});
		if (this.#waitingBytes > WAITING_BYTES) await this.#writing;
	}

	/** Waits for what is being written. */
	async close(): Promise<void> {
		await this.#writing;
	}

	async #readIndex(): Promise<Map<string, CachedTensor>> {
		const index = new Map<string, CachedTensor>();
		const names = await readdir(this.#folder).catch(() => []);
		for (const name of names.filter((of) => of.endsWith(".safetensors"))) {
			const pack = join(this.#folder, name);
			try {
				const file = await readChecked(pack);
				for (const [hash, tensor] of file.tensors) index.set(hash, { tensor, checksum: storedChecksum(file, hash) });
			} catch (error) {
				await this.#drop(pack, error);
			}
		}
		return index;
	}

	async #readPack(pack: string, wanted: readonly [string, CachedTensor][], found: Map<string, Float32Array>) {
		const handle = await openToRead(pack);
		try {
			for (const [key, { tensor, checksum }] of wanted) {
				const numbers = new Float32Array(tensor.byteLength / 4);
				const bytes = bytesOf(numbers);
				await readFully(handle, bytes, tensor.offset, pack);
				if (hexChecksum(bytes) !== checksum) throw new Error("a checksum isn't the one it was written with");
				found.set(key, numbers);
			}
		} finally {
			await handle.close();
		}
		if (this.#room.keep(pack)) await utimes(pack, new Date(), new Date());
	}

	async #write(entries: ReadonlyMap<string, Float32Array>): Promise<void> {
		const vectors = Object.fromEntries([...entries].map(([key, data]) => [hashOf(key), data]));
		// Named by its contents: whoever computes the same writes the same file.
		const pack = join(this.#folder, `${hashOf(Object.keys(vectors).sort().join())}.safetensors`);
		if (!(await this.#room.make(pack, bytesIn(entries)))) return;
		await writeChecked(pack, vectors);
	}

	async #drop(pack: string, error: unknown): Promise<void> {
		log("features on disk can't be used and are computed again: %s: %s", pack, error);
		await rm(pack, { force: true }).catch(() => {});
	}
}

function hashOf(text: string): string {
	return createHash("sha256").update(text).digest("hex");
}

function bytesIn(entries: ReadonlyMap<string, Float32Array>): number {
	return [...entries.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
}
