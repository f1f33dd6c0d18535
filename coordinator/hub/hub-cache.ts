import { mkdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import { downloadFile } from "../../shared/files/download.ts";
import { assertFreeSpace } from "../../shared/files/free-space.ts";
import { partPath } from "../../shared/files/part-file.ts";
import { MOST_JSON_BYTES, readRegularFile } from "../../shared/files/regular-file.ts";
import { formatBytes } from "../format.ts";
import type { HubOptions, HubToken } from "./hub-access.ts";

/** Whether a text is the id of a commit. */
export function isCommit(text: string): boolean {
	return /^[0-9a-f]{40}$/.test(text);
}

/** Returns the commit of a revision in the cache; undefined if there is none. */
export async function readCommit(repoFolder: string, revision: string): Promise<string | undefined> {
	if (isCommit(revision)) return revision;
	try {
		const bytes = await readRegularFile(join(repoFolder, "refs", revision), MOST_JSON_BYTES, "data");
		const commit = bytes.toString("utf8").trim();
		return isCommit(commit) ? commit : undefined;
	} catch {
		return undefined;
	}
}

/** Writes to the cache which commit a revision is. */
export async function writeRef(repoFolder: string, revision: string, commit: string): Promise<void> {
	if (revision === commit) return;
	const ref = join(repoFolder, "refs", revision);
	await mkdir(dirname(ref), { recursive: true });
	await writeFile(ref, commit);
}

/** A file of a repository as the hub lists it. */
export interface HubFile {
	readonly path: string;
	readonly size: number;
	/** Git's SHA-1 of a small file. */
	readonly oid?: string | undefined;
	/** SHA-256 of a large file. */
	readonly lfs?: { readonly oid: string } | undefined;
}

/** Folders for the files of one commit, and their address. */
export interface CacheTarget {
	/** The repository, for messages. */
	readonly name: string;
	readonly repoFolder: string;
	readonly snapshot: string;
	readonly url: string;
	readonly token: HubToken | undefined;
	readonly signal: AbortSignal;
}

/**
 * Downloads files to the cache: contents are stored by checksum in `blobs`, and a snapshot is a folder of links to
 * them. The links are made when all files are complete, so that the cache never has a part of them. Each file is locked
 * as Hugging Face's own tools do it, so that one process downloads it.
 * @throws DownloadError or TailtuneError as `downloadFile`
 */
export async function fetchToCache(
	target: CacheTarget,
	files: readonly HubFile[],
	listener?: HubOptions["listener"],
): Promise<void> {
	const { name, repoFolder, snapshot } = target;
	const blobs = files.map((file) => ({ ...file, checksum: checksumOf(file, target) }));
	const total = files.reduce((sum, { size }) => sum + size, 0);
	const missing = (await Promise.all(blobs.map((file) => countMissing(file, repoFolder)))).reduce((a, b) => a + b, 0);
	await mkdir(join(repoFolder, "blobs"), { recursive: true });
	await assertFreeSpace(join(repoFolder, "blobs"), missing);
	if (missing > 0) listener?.line(`${name}: downloading ${formatBytes(missing)} to ${repoFolder}`);
	const report = missing > 0 ? listener?.download(name) : undefined;
	let before = 0;
	for (const file of blobs) {
		const from = before;
		await fetchBlob(target, file, listener, (bytes) => report?.(from + bytes, total));
		before += file.size;
	}
	await mkdir(snapshot, { recursive: true });
	for (const { path, checksum } of blobs) await linkBlob(join(snapshot, path), join(repoFolder, "blobs", checksum));
}

type Blob = HubFile & { readonly checksum: string };

function checksumOf({ path, lfs, oid = "" }: HubFile, { url }: CacheTarget): string {
	const checksum = lfs?.oid ?? oid;
	if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(checksum)) return checksum;
	throw new TailtuneError("protocol", `${url}/${path}: expected a checksum from the hub`);
}

/** Counts the bytes that are neither in the file nor in its received part. */
async function countMissing({ checksum, size }: Blob, repoFolder: string): Promise<number> {
	const blob = join(repoFolder, "blobs", checksum);
	const sizeOf = async (path: string) => (await stat(path).catch(() => undefined))?.size;
	return (await sizeOf(blob)) === size ? 0 : Math.max(0, size - ((await sizeOf(partPath(blob))) ?? 0));
}

async function fetchBlob(
	{ name, repoFolder, url, token, signal }: CacheTarget,
	{ path, size, checksum }: Blob,
	listener: HubOptions["listener"],
	onProgress: (bytes: number) => void,
): Promise<void> {
	const locks = join(dirname(repoFolder), ".locks", basename(repoFolder));
	await mkdir(locks, { recursive: true });
	const headers = token ? { Authorization: `Bearer ${token.token}` } : {};
	const address = `${url}/${path.split("/").map(encodeURIComponent).join("/")}`;
	const source = { url: address, headers, maxBytes: size, sizeBytes: size, checksum };
	await downloadFile(source, join(repoFolder, "blobs", checksum), {
		signal,
		onProgress,
		onBusy: () => listener?.line(`${name}: another process downloads ${path}; waiting`),
		lockPath: join(locks, `${checksum}.lock`),
	});
}

async function linkBlob(link: string, blob: string): Promise<void> {
	await mkdir(dirname(link), { recursive: true });
	await rm(link, { force: true });
	await symlink(relative(dirname(link), blob), link);
}
