import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

interface Pack {
	readonly path: string;
	readonly bytes: number;
	/** When it was last written or read from. */
	readonly usedMs: number;
}

/** Keeps the packs of all kinds of features together under a number of bytes: the ones longest unused go first. */
export class PackRoom {
	readonly #folder: string;
	readonly #limitBytes: number;
	/** Of this run: they stay. */
	readonly #kept = new Set<string>();
	/** The others, longest unused last. */
	#others: Pack[] | undefined;
	#takenBytes = 0;

	constructor(folder: string, limitBytes: number) {
		this.#folder = folder;
		this.#limitBytes = limitBytes;
	}

	/** Has a pack stay. @returns whether that is new */
	keep(path: string): boolean {
		if (this.#kept.has(path)) return false;
		this.#kept.add(path);
		return true;
	}

	/** Makes room, and its folder, for a pack to be written. @returns whether there is room even so */
	async make(path: string, bytes: number): Promise<boolean> {
		await mkdir(dirname(path), { recursive: true });
		this.#others ??= await this.#list();
		while (this.#takenBytes + bytes > this.#limitBytes) {
			const oldest = this.#others.pop();
			if (!oldest) return false;
			if (this.#kept.has(oldest.path)) continue;
			if (await isRemoved(oldest.path)) this.#takenBytes -= oldest.bytes;
		}
		this.#takenBytes += bytes;
		this.keep(path);
		return true;
	}

	/** Files in the folders of all kinds. Files beside these folders, folders in them and unreadable folders don't count. */
	async #list(): Promise<Pack[]> {
		const packs: Pack[] = [];
		const kinds = await readdir(this.#folder, { withFileTypes: true });
		for (const kind of kinds.filter((entry) => entry.isDirectory())) {
			const names = await readdir(join(this.#folder, kind.name)).catch(() => []);
			for (const name of names) {
				const path = join(this.#folder, kind.name, name);
				const found = await stat(path).catch(() => undefined);
				if (found?.isFile()) packs.push({ path, bytes: found.size, usedMs: found.mtimeMs });
			}
		}
		this.#takenBytes = packs.reduce((sum, { bytes }) => sum + bytes, 0);
		return packs.sort((a, b) => b.usedMs - a.usedMs);
	}
}

/** Removes a file. One that can't be removed, as when Windows has it open, stays and goes on counting. */
async function isRemoved(path: string): Promise<boolean> {
	return rm(path, { force: true }).then(
		() => true,
		() => false,
	);
}
