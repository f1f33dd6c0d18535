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
 * Puts a new file in the place of `path`: written aside in the same folder, flushed to the disk, then renamed. At any
 * moment, a crash included, `path` holds all of the old content or all of the new; a failure leaves nothing aside.
 * @param write fills the empty file
 * @throws TailtuneError "disk" where the system refuses; what `write` throws for other reasons goes through
 */
export async function replaceFile(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
	const aside = temporaryPath(path);
	try {
		await fill(aside, write);
		await rename(aside, path);
	} catch (error) {
		await rm(aside, { force: true }).catch(() => {});
		throw asDiskError(path, error);
	}
	await flushFolder(dirname(path));
}

/** Another name in the same folder, for what isn't whole yet or not wanted any more. */
export function temporaryPath(path: string): string {
	return join(dirname(path), `.${basename(path)}.${process.pid}-${randomUUID().slice(0, 8)}.tmp`);
}

/** Removes from a folder what processes left aside that were killed; nobody else may be writing there. */
export async function removeTemporaryFiles(folder: string): Promise<void> {
	const asides = (await readdir(folder)).filter((name) => /^\..+\.\d+-[0-9a-f]{8}\.tmp$/.test(name));
	for (const name of asides) await rm(join(folder, name), { recursive: true, force: true });
}

/** A system error as TailtuneError "disk" that names the file; any other error as it is. */
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

// Makes the rename itself last through a power cut. Windows opens no folders, and the file is whole anyway.
async function flushFolder(path: string): Promise<void> {
	const folder = await open(path, "r").catch(() => undefined);
	await folder?.sync().catch(() => {});
	await folder?.close();
}
