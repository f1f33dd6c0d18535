import { createHash } from "node:crypto";
import { closeSync } from "node:fs";
import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import {
	DOWNLOAD_ANSWER_MS,
	DOWNLOAD_LOCK_POLL_MS,
	DOWNLOAD_RETRY_MS,
	DOWNLOAD_STALL_MS,
	DOWNLOAD_TOTAL_MS,
} from "../deadlines.ts";
import { TailtuneError } from "../errors.ts";
import { assertFreeSpace, explainFullDisk } from "./free-space.ts";
import { waitForLock } from "./lock-file.ts";
import { PartFile } from "./part-file.ts";
import { DownloadError, type DownloadSource, limitOf, type TransferOptions, transferRest } from "./transfer.ts";

/** Receives messages and progress of downloads. */
export interface DownloadListener {
	line(text: string): void;
	/** @returns a function to call with the downloaded and the total bytes */
	download(name: string): (doneBytes: number, totalBytes: number) => void;
}

export interface DownloadOptions extends Partial<TransferOptions> {
	/** Time-out of the whole download, in milliseconds. Default: DOWNLOAD_TOTAL_MS. */
	readonly totalMs?: number;
	/** Called once if another process downloads the same file, and this one waits for it. */
	readonly onBusy?: () => void;
	/** A file that other programs lock during this download. Default: none. */
	readonly lockPath?: string;
}

/**
 * Downloads a file and moves it to `path` once it is complete and checked. A file with a known size and checksum is
 * resumed: after a broken connection, as long as each request receives some bytes, and after an ended process, from
 * `${path}.incomplete`. A request without any bytes is repeated once if the fault may be temporary. If another process
 * downloads the file, waits for it, and continues the download if that process ends before the last byte.
 * @throws DownloadError if the server doesn't send the file; TailtuneError "checksum" (the file is removed) or "disk",
 *   also before the first byte if the free space is too small; the signal's reason if it aborts (the received bytes are
 *   kept)
 */
export async function downloadFile(source: DownloadSource, path: string, options: DownloadOptions = {}): Promise<void> {
	const { totalMs = DOWNLOAD_TOTAL_MS, onBusy, lockPath } = options;
	const total = new AbortController();
	const timer = setTimeout(() => total.abort(), totalMs);
	const signal = AbortSignal.any(options.signal ? [total.signal, options.signal] : [total.signal]);
	const wait = { signal, pollMs: DOWNLOAD_LOCK_POLL_MS, onBusy };
	let lock: number | undefined;
	try {
		if (lockPath !== undefined) lock = (await waitForLock(lockPath, wait)).file;
		const part = await PartFile.open(path, wait);
		await completePart(source, path, part, { ...options, signal });
	} catch (error) {
		options.signal?.throwIfAborted();
		if (total.signal.aborted) throw new DownloadError(`not complete after ${totalMs / 1000} s`, { cause: error });
		throw error;
	} finally {
		clearTimeout(timer);
		if (lock !== undefined) closeSync(lock);
	}
}

async function completePart(
	source: DownloadSource,
	path: string,
	part: PartFile,
	options: DownloadOptions & Pick<TransferOptions, "signal">,
): Promise<void> {
	const { sizeBytes = 0 } = source;
	try {
		if (!isResumable(source) || part.bytes > limitOf(source)) part.restart();
		if (await hasArrived(source, path)) part.remove();
		else {
			await assertFreeSpace(path, sizeBytes - part.bytes);
			await transferAll(source, part, { answerMs: DOWNLOAD_ANSWER_MS, stallMs: DOWNLOAD_STALL_MS, ...options });
			await check(source, part);
			await part.moveTo(path);
		}
		options.onProgress?.(sizeBytes || part.bytes, sizeBytes || part.bytes);
	} catch (error) {
		const isKnown = source.sizeBytes !== undefined;
		const explained = isKnown ? await explainFullDisk(error, path, sizeBytes - part.bytes) : error;
		if (!isResumable(source) || part.bytes === 0) part.remove();
		throw explained;
	} finally {
		part.close();
	}
}

function isResumable({ checksum, sizeBytes }: DownloadSource): boolean {
	return checksum !== undefined && sizeBytes !== undefined;
}

/** Whether another process has downloaded the file meanwhile. Only complete files have its path. */
async function hasArrived(source: DownloadSource, path: string): Promise<boolean> {
	if (!isResumable(source)) return false;
	const found = await stat(path).catch(() => undefined);
	return found?.isFile() === true && found.size === source.sizeBytes;
}

async function transferAll(source: DownloadSource, part: PartFile, options: TransferOptions): Promise<void> {
	let mayRepeat = true;
	while (part.bytes < (source.sizeBytes ?? Number.POSITIVE_INFINITY)) {
		if (!isResumable(source)) part.restart();
		const before = part.bytes;
		try {
			await transferRest(source, part, options);
			if (source.sizeBytes === undefined) return;
			const isComplete = part.bytes === source.sizeBytes;
			if (!isComplete) throw new DownloadError(`ended after ${part.bytes} bytes`, { isTransient: true });
		} catch (error) {
			if (!(error instanceof DownloadError) || options.signal.aborted) throw error;
			if (isResumable(source) && part.bytes > before && error.statusCode === undefined) continue;
			if (!mayRepeat || !error.isTransient) throw error;
			mayRepeat = false;
			await sleep(DOWNLOAD_RETRY_MS, undefined, { signal: options.signal });
		}
	}
}

async function check({ url, checksum }: DownloadSource, part: PartFile): Promise<void> {
	if (checksum === undefined) return;
	const hash = createHash(checksum.length === 64 ? "sha256" : "sha1");
	// Git hashes the content together with a header.
	if (checksum.length !== 64) hash.update(`blob ${part.bytes}\0`);
	await part.hashInto(hash);
	const found = hash.digest("hex");
	if (found === checksum) return;
	part.remove();
	throw new TailtuneError("checksum", `${url}: found ${found}, expected ${checksum}; removed, try again`);
}
