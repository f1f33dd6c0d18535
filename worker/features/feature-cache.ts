import { createHash } from "node:crypto";
import { readdir, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { debuglog } from "node:util";
import { crc32 } from "node:zlib";
import { openToRead, readFully, readSafetensorsFile, writeSafetensors } from "../../shared/model/safetensors.ts";
import type { FileTensor } from "../../shared/model/safetensors-header.ts";
import { PackRoom } from "./pack-room.ts";

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
 * Features on disk between runs: a safetensors file, a *pack*, for the texts that were computed together, each tensor under
 * the hash of its text's key, with a CRC-32 in the metadata. It never fails a run: packs are written in the background,
 * and what can't be read or isn't what was written is computed again.
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
		for (const [pack, wanted] of byPack) await this.#readPack(pack, wanted, found).catch(() => this.#drop(pack));
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
				const { tensors, metadata } = await readSafetensorsFile(pack);
				for (const [hash, tensor] of tensors) index.set(hash, { tensor, checksum: metadata[hash] });
			} catch {
				await this.#drop(pack);
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
				if (checksumOf(bytes) !== checksum) throw new Error("not what was written");
				found.set(key, numbers);
			}
		} finally {
			await handle.close();
		}
		if (this.#room.keep(pack)) await utimes(pack, new Date(), new Date());
	}

	async #write(entries: ReadonlyMap<string, Float32Array>): Promise<void> {
		const tensors = [...entries].map(([key, data]) => ({ name: hashOf(key), shape: [data.length], data }));
		// Named by what is in it: who computes the same writes the same file.
		const names = tensors.map(({ name }) => name).sort();
		const pack = join(this.#folder, `${hashOf(names.join())}.safetensors`);
		if (!(await this.#room.make(pack, bytesIn(entries)))) return;
		const checksums = tensors.map(({ name, data }) => [name, checksumOf(bytesOf(data))]);
		await writeSafetensors(pack, tensors, Object.fromEntries(checksums));
	}

	async #drop(pack: string): Promise<void> {
		log("features on disk are not what was written: %s", pack);
		await rm(pack, { force: true }).catch(() => {});
	}
}

function hashOf(text: string): string {
	return createHash("sha256").update(text).digest("hex");
}

function bytesIn(entries: ReadonlyMap<string, Float32Array>): number {
	return [...entries.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function bytesOf(numbers: Float32Array): Uint8Array {
	return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

function checksumOf(bytes: Uint8Array): string {
	return crc32(bytes).toString(16);
}
