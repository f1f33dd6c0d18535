import { readlinkSync } from "node:fs";
import { mkdtemp, readdir, rm, stat, utimes } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { debuglog } from "node:util";
import { systemCodeOf } from "../../shared/errors.ts";
import { ownCacheFolder } from "../../shared/files/cache-folder.ts";
import { makePrivateFolder } from "../../shared/files/private-folder.mjs";
import { COPY_ABANDONED_MS, COPY_MARK_MS } from "../deadlines.ts";

/** A new folder that only this process uses. */
export interface CopyFolder {
	readonly path: string;
	remove(): Promise<void>;
}

const log = debuglog("tailtune");

/**
 * Makes a folder for the copy of a model in a private folder, and removes copies of killed processes there. If a
 * private folder can't be made, it uses the temporary folder and removes nothing there, because other users write to
 * it.
 * @throws what the file system throws
 */
export async function makeCopyFolder(): Promise<CopyFolder> {
	const path = await mkdtemp(join(await parentFolder(), `tailtune-serve-${pidScope()}-${process.pid}-`));
	const mark = setInterval(() => {
		const now = new Date();
		utimes(path, now, now).catch((error) => log("%s isn't marked as in use: %s", path, error));
	}, COPY_MARK_MS);
	mark.unref();
	const remove = async () => {
		clearInterval(mark);
		await rm(path, { recursive: true, force: true });
	};
	return { path, remove };
}

async function parentFolder(): Promise<string> {
	try {
		const parent = makePrivateFolder(join(ownCacheFolder(), "serve"));
		await removeAbandoned(parent);
		return parent;
	} catch (error) {
		log("copies of models are made in the temporary folder: %s", error);
		return tmpdir();
	}
}

// Links are never followed: only folders are removed, and `rm` removes the links in them, not their targets.
async function removeAbandoned(parent: string): Promise<void> {
	for (const entry of await readdir(parent, { withFileTypes: true })) {
		const path = join(parent, entry.name);
		try {
			if (entry.isDirectory() && (await isAbandoned(path, entry.name)))
				await rm(path, { recursive: true, force: true });
		} catch (error) {
			log("%s isn't removed: %s", path, error);
		}
	}
}

async function isAbandoned(path: string, name: string): Promise<boolean> {
	const [, scope, pid] = /^tailtune-serve-(.+)-(\d+)-\w+$/.exec(name) ?? [];
	if (scope === undefined) return false;
	if (scope === pidScope()) return !isAlive(Number(pid));
	return Date.now() - (await stat(path)).mtimeMs > COPY_ABANDONED_MS;
}

/** Names the scope in which a pid is unique: this host and, on Linux, this container. */
function pidScope(): string {
	if (process.platform !== "linux") return hostname();
	const [id = ""] = /\d+/.exec(readlinkSync("/proc/self/ns/pid")) ?? [];
	return `${hostname()}-${id}`;
}

function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch (error) {
		return systemCodeOf(error) === "EPERM";
	}
}
