import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { TailtuneError } from "../../shared/errors.ts";
import { ownCacheFolder } from "../../shared/files/cache-folder.ts";
import { downloadFile } from "../../shared/files/download.ts";
import { readRegularFile } from "../../shared/files/regular-file.ts";
import { DownloadError, type OnProgress } from "../../shared/files/transfer.ts";
import { asDiskError, temporaryPath, writeFileAtomic } from "../../shared/files/write-atomic.ts";
import { DATA_SET_SILENCE_MS } from "../deadlines.ts";
import type { Dataset } from "./dataset.ts";
import { readDataset } from "./read-dataset.ts";

/** Source of the collection. All options have defaults; tests set them. */
export interface SmsSpamOptions {
	/** Addresses of the zip, tried in order. Default: UCI's, then the copy named in the book. */
	readonly urls?: readonly string[];
	/** Default: `tailtune` in XDG_CACHE_HOME or ~/.cache. */
	readonly cacheFolder?: string;
	/** SHA-256 of the extracted file, hexadecimal. Default: that of the published file. */
	readonly sha256?: string;
	/** Time-out of an address that sends nothing, in milliseconds. Default 4,000. */
	readonly silenceMs?: number;
	readonly onProgress?: OnProgress;
}

const URLS = [
	"https://archive.ics.uci.edu/static/public/228/sms+spam+collection.zip",
	"https://f001.backblazeb2.com/file/LLMs-from-scratch/sms%2Bspam%2Bcollection.zip",
];
const ENTRY = "SMSSpamCollection";
// 5,574 lines, 477,907 bytes.
const SHA256 = "7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d";
/** Of the zip; `maxBytes` also of the file in it. */
const SIZES = { maxBytes: 4 << 20, usualBytes: 203_415 };
/**
 * Loads the SMS Spam Collection (Almeida, Hidalgo and Silva; UCI 228): 4,827 ham and 747 spam. It is downloaded once,
 * then read from the cache without any network access.
 * @throws TailtuneError "offline" if no address sends it, "checksum" if one sends another file, "disk" if the cache
 * can't be written
 */
export async function loadSmsSpam(options: SmsSpamOptions = {}): Promise<Dataset> {
	const folder = options.cacheFolder ?? ownCacheFolder();
	const file = join(folder, ENTRY);
	const sha256 = options.sha256 ?? SHA256;
	const cached = await readRegularFile(file, SIZES.maxBytes, "data").catch(() => undefined);
	if (!cached || checksumOf(cached) !== sha256) {
		await mkdir(folder, { recursive: true }).catch((error) => Promise.reject(asDiskError(file, error)));
		await writeFileAtomic(file, await fetchCollection(file, options, sha256));
	}
	return readDataset(file);
}

async function fetchCollection(file: string, options: SmsSpamOptions, sha256: string): Promise<Uint8Array> {
	const { urls = URLS } = options;
	const failures: string[] = [];
	let isWrong = false;
	for (const url of urls) {
		try {
			const content = extract(await downloadZip(url, temporaryPath(file), options));
			if (content && checksumOf(content) === sha256) return content;
			isWrong = true;
			failures.push(`${url} (another file than expected)`);
		} catch (error) {
			if (!(error instanceof DownloadError)) throw error;
			failures.push(`${url} (${error.message})`);
		}
	}
	const message = `sms-spam: can't be downloaded from ${failures.join(" or ")}; to use your own texts: --data FILE`;
	throw new TailtuneError(isWrong ? "checksum" : "offline", message);
}

async function downloadZip(url: string, path: string, { silenceMs, onProgress }: SmsSpamOptions): Promise<Uint8Array> {
	const limits = { answerMs: silenceMs ?? DATA_SET_SILENCE_MS, stallMs: silenceMs ?? DATA_SET_SILENCE_MS };
	try {
		await downloadFile({ url, ...SIZES }, path, { ...limits, ...(onProgress && { onProgress }) });
		return await readRegularFile(path, SIZES.maxBytes, "data");
	} finally {
		await rm(path, { force: true });
	}
}

/** Extracts the collection from a zip; undefined if the bytes aren't a zip that contains it. */
function extract(zip: Uint8Array): Uint8Array | undefined {
	try {
		return unzipSync(zip, { filter: ({ name, originalSize }) => name === ENTRY && originalSize <= SIZES.maxBytes })[
			ENTRY
		];
	} catch {
		return undefined;
	}
}

function checksumOf(content: Uint8Array): string {
	return createHash("sha256").update(content).digest("hex");
}
