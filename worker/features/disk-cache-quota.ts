import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A feature file on disk. */
interface FeatureFile {
	readonly path: string;
	readonly bytes: number;
	/** Time of the last write or use. */
	readonly usedMs: number;
}

/** Share of the limit after which the folder is listed again, because other processes write to it too. */
const LISTED_AFTER = 1 / 16;

/**
 * Keeps the feature files of all kinds and processes within a limit of bytes. The least recently used files are removed
 * first, but never files that this or another process has written or used since this one began.
 */
export class DiskCacheQuota {
	readonly #folder: string;
	readonly #limitBytes: number;
	readonly #beganMs = Date.now();
	/** Files that this process has used. */
	readonly #touched = new Set<string>();
	/** The files that may be removed, the least recently used last. */
	#old: FeatureFile[] = [];
	/** Bytes of all files at the last listing, and of those that this process has written since then. */
	#usedBytes = 0;
	/** Bytes of the latter alone. */
	#unlistedBytes = Number.POSITIVE_INFINITY;

	constructor(folder: string, limitBytes: number) {
		this.#folder = folder;
		this.#limitBytes = limitBytes;
	}

	/** Marks a file as used by this process. @returns whether it was not marked before */
	touch(path: string): boolean {
		if (this.#touched.has(path)) return false;
		this.#touched.add(path);
		return true;
	}

	/**
	 * Reserves bytes for a new file, and makes its folder. Other files are removed if needed.
	 * @returns false if there is not enough space even then
	 */
	async reserve(path: string, bytes: number): Promise<boolean> {
		await mkdir(dirname(path), { recursive: true });
		if (this.#unlistedBytes > LISTED_AFTER * this.#limitBytes) await this.#list();
		while (this.#usedBytes + bytes > this.#limitBytes) {
			const oldest = this.#old.pop();
			if (!oldest) return false;
			if (!this.#touched.has(oldest.path) && (await tryRemove(oldest.path))) this.#usedBytes -= oldest.bytes;
		}
		this.#usedBytes += bytes;
		this.#unlistedBytes += bytes;
		this.touch(path);
		return true;
	}

	/**
	 * Lists the files in the folders of all kinds. Other files, folders inside these folders and unreadable folders are
	 * ignored.
	 */
	async #list(): Promise<void> {
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
		this.#unlistedBytes = 0;
		this.#old = files.filter(({ usedMs }) => usedMs < this.#beganMs).sort((a, b) => b.usedMs - a.usedMs);
	}
}

/** Removes a file. @returns false if it can't be removed, for example because it is open on Windows */
async function tryRemove(path: string): Promise<boolean> {
	return rm(path, { force: true }).then(
		() => true,
		() => false,
	);
}
