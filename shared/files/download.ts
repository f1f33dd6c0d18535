import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { DOWNLOAD_ANSWER_MS, DOWNLOAD_RETRY_MS, DOWNLOAD_STALL_MS, DOWNLOAD_TOTAL_MS } from "../deadlines.ts";
import { TailtuneError } from "../errors.ts";
import { PartFile } from "./part-file.ts";
import { DownloadError, type DownloadSource, limitOf, type TransferOptions, transferRest } from "./transfer.ts";

export interface DownloadOptions extends Partial<TransferOptions> {
	/** Time-out of the whole download, in milliseconds. Default: DOWNLOAD_TOTAL_MS. */
	readonly totalMs?: number;
}

/**
 * Downloads a file and moves it to `path` once it is complete and checked. A file with a known size and checksum is
 * resumed: after a broken connection, as long as each request receives some bytes, and after an ended process, from
 * `${path}.incomplete`. A request without any bytes is repeated once if the fault may be temporary. Two processes never
 * write to the same part file.
 * @throws DownloadError if the server doesn't send the file; TailtuneError "checksum" (the file is removed) or "disk";
 *   the signal's reason if it aborts (the received bytes are kept)
 */
export async function downloadFile(source: DownloadSource, path: string, options: DownloadOptions = {}): Promise<void> {
	const { signal, totalMs = DOWNLOAD_TOTAL_MS } = options;
	const part = PartFile.open(path);
	const total = new AbortController();
	const timer = setTimeout(() => total.abort(), totalMs);
	try {
		if (!isResumable(source) || part.bytes > limitOf(source)) part.restart();
		await transferAll(source, part, {
			answerMs: DOWNLOAD_ANSWER_MS,
			stallMs: DOWNLOAD_STALL_MS,
			...options,
			signal: AbortSignal.any(signal ? [total.signal, signal] : [total.signal]),
		});
		options.onProgress?.(part.bytes, part.bytes);
		await check(source, part);
		await part.moveTo(path);
	} catch (error) {
		if (!isResumable(source) || part.bytes === 0) part.remove();
		signal?.throwIfAborted();
		if (total.signal.aborted) throw new DownloadError(`not complete after ${totalMs / 1000} s`, { cause: error });
		throw error;
	} finally {
		clearTimeout(timer);
		part.close();
	}
}

function isResumable({ checksum, sizeBytes }: DownloadSource): boolean {
	return checksum !== undefined && sizeBytes !== undefined;
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
