import { randomUUID } from "node:crypto";
import { type FileHandle, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { systemCodeOf, TailtuneError } from "../errors.ts";

const REASONS: Readonly<Record<string, string>> = {
	ENOSPC: "no space is left on the disk",
	EDQUOT: "the disk quota is used up",
	EROFS: "the disk is read-only",
	EACCES: "this user may not write here",
	EPERM: "this user may not write here",
	ENOENT: "the folder doesn't exist",
	EISDIR: "a folder has that name",
	EEXIST: "a file has that name",
	ENOTDIR: "a part of this path is a file, not a folder",
};

/** Writes text (as UTF-8) or bytes; see `replaceFile`. */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
	await replaceFile(path, (file) => file.writeFile(content));
}

/** Writes a value as indented JSON with a newline at the end; see `replaceFile`. */
export async function writeJson(path: string, value: unknown): Promise<void> {
	await writeFileAtomic(path, `${JSON.stringify(value, null, "\t")}\n`);
}

/**
 * Replaces the file at `path`: writes a temporary file in the same folder, flushes it to the disk, then renames it. At
 * any time, even after a crash, `path` has the complete old or the complete new content. A failure leaves no temporary
 * file.
 * @param write fills the empty file
 * @throws TailtuneError "disk" for a system error; other errors of `write` are passed on
 */
export async function replaceFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
	const temporary = temporaryPath(path);
	try {
		await fill(temporary, write);
		await rename(temporary, path);
	} catch (error) {
		await rm(temporary, { force: true }).catch(() => {});
		throw asDiskError(path, error);
	}
	await flushFolder(dirname(path));
}

/** Returns a new temporary path in the same folder, for a file or folder that is incomplete or about to be removed. */
export function temporaryPath(path: string): string {
	return join(dirname(path), `.${basename(path)}.${process.pid}-${randomUUID().slice(0, 8)}.tmp`);
}

/** Removes the temporary files left in a folder by killed processes; no other process may be writing there. */
export async function removeTemporaryFiles(folder: string): Promise<void> {
	const leftovers = (await readdir(folder)).filter((name) => /^\..+\.\d+-[0-9a-f]{8}\.tmp$/.test(name));
	for (const name of leftovers) await rm(join(folder, name), { recursive: true, force: true });
}

/** Converts a system error to a TailtuneError "disk" that names the file; returns any other error unchanged. */
export function asDiskError(path: string, error: unknown): unknown {
	const code = systemCodeOf(error);
	if (code === undefined || error instanceof TailtuneError) return error;
	return new TailtuneError("disk", `${path}: can't be written: ${REASONS[code] ?? code}`, { cause: error });
}

async function fill(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
	const file = await open(path, "wx");
	try {
		await write(file);
		await file.sync();
	} finally {
		await file.close();
	}
}

// Makes the rename survive a power failure. Windows can't open folders; the file is complete in any case.
async function flushFolder(path: string): Promise<void> {
	const folder = await open(path, "r").catch(() => undefined);
	await folder?.sync().catch(() => {});
	await folder?.close();
}
