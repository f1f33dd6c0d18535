import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A feature file on disk. */
interface FeatureFile {
	readonly path: string;
	readonly bytes: number;
	/** Time of the last write or use. */
	readonly usedMs: number;
}

/** Keeps the feature files of all kinds within a limit of bytes. The least recently used files are removed first. */
export class DiskCacheQuota {
	readonly #folder: string;
	readonly #limitBytes: number;
	/** Files of this run. They are never removed. */
	readonly #inUse = new Set<string>();
	/** All other files, the least recently used last. */
	#others: FeatureFile[] | undefined;
	#usedBytes = 0;

	constructor(folder: string, limitBytes: number) {
		this.#folder = folder;
		this.#limitBytes = limitBytes;
	}

	/** Marks a file as used by this run. @returns whether it was not marked before */
	touch(path: string): boolean {
		if (this.#inUse.has(path)) return false;
		this.#inUse.add(path);
		return true;
	}

	/**
	 * Reserves bytes for a new file, and makes its folder. Other files are removed if needed.
	 * @returns false if there is not enough space even then
	 */
	async reserve(path: string, bytes: number): Promise<boolean> {
		await mkdir(dirname(path), { recursive: true });
		this.#others ??= await this.#list();
		while (this.#usedBytes + bytes > this.#limitBytes) {
			const oldest = this.#others.pop();
			if (!oldest) return false;
			if (this.#inUse.has(oldest.path)) continue;
			if (await tryRemove(oldest.path)) this.#usedBytes -= oldest.bytes;
		}
		this.#usedBytes += bytes;
		this.touch(path);
		return true;
	}

	/**
	 * Lists the files in the folders of all kinds. Other files, folders inside these folders and unreadable folders are
	 * ignored.
	 */
	async #list(): Promise<FeatureFile[]> {
		const files: FeatureFile[] = [];
		const kinds = await readdir(this.#folder, { withFileTypes: true });
		for (const kind of kinds.filter((entry) => entry.isDirectory())) {
			const names = await readdir(join(this.#folder, kind.name)).catch(() => []);
			for (const name of names) {
				const path = join(this.#folder, kind.name, name);
				const found = await stat(path).catch(() => undefined);
				if (found?.isFile()) files.push({ path, bytes: found.size, usedMs: found.mtimeMs });
			}
		}
		this.#usedBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
		return files.sort((a, b) => b.usedMs - a.usedMs);
	}
}

/** Removes a file. @returns false if it can't be removed, for example because it is open on Windows */
async function tryRemove(path: string): Promise<boolean> {
	return rm(path, { force: true }).then(
		() => true,
		() => false,
	);
}
