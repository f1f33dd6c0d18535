import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { TailtuneError } from "../errors.ts";

/** One file of a repository on the hub. */
export interface HubFile {
	readonly url: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly sizeBytes: number;
	/** sha256 of a large file, git's sha1 of a small one; also its name in the cache. */
	readonly checksum: string;
}

/** An answer of the hub that isn't the file; the status says why. */
export class HubAnswerError extends Error {
	readonly statusCode: number;

	constructor(statusCode: number, url: string) {
		super(`status ${statusCode} for ${url}`);
		this.statusCode = statusCode;
	}
}

const CONNECT_MS = 5_000;
const STALL_MS = 20_000;

/**
 * Downloads a file; what an earlier try left in `${path}.incomplete` is kept and only the rest is asked for. A connection that
 * breaks is taken up again as long as each try brings some bytes.
 * @param onBytes called with the number of bytes that are there
 * @throws TailtuneError "checksum" (and nothing is left); what fetch and the file system throw (and the part is left)
 */
export async function downloadFile(
	file: HubFile,
	path: string,
	signal: AbortSignal,
	onBytes: (bytes: number) => void,
): Promise<void> {
	const incomplete = `${path}.incomplete`;
	let present = await sizeOfFile(incomplete);
	while (present < file.sizeBytes) {
		const before = present;
		try {
			await appendRest(file, incomplete, before, signal, onBytes);
		} catch (error) {
			present = await sizeOfFile(incomplete);
			if (signal.aborted || present <= before || error instanceof HubAnswerError) throw error;
		}
		present = await sizeOfFile(incomplete);
		if (present <= before) throw new Error(`${file.url}: ended after ${present} of ${file.sizeBytes} bytes`);
	}
	onBytes(present);
	const found = await checksumOf(incomplete, file);
	if (found !== file.checksum) {
		await rm(incomplete, { force: true });
		throw new TailtuneError("checksum", `${file.url}: found ${found}, expected ${file.checksum}; removed, try again`);
	}
	await rename(incomplete, path);
}

async function appendRest(
	{ url, headers }: HubFile,
	path: string,
	from: number,
	signal: AbortSignal,
	onBytes: (bytes: number) => void,
): Promise<void> {
	const silence = new AbortController();
	let timer = setTimeout(() => silence.abort(new Error("no answer")), CONNECT_MS);
	try {
		const response = await fetch(url, {
			headers: { ...headers, "Accept-Encoding": "identity", ...(from > 0 && { Range: `bytes=${from}-` }) },
			signal: AbortSignal.any([silence.signal, signal]),
		});
		if (!response.ok || !response.body) throw new HubAnswerError(response.status, url);
		clearTimeout(timer);
		timer = setTimeout(() => silence.abort(new Error("no more data")), STALL_MS);
		// Without a partial answer the server begins from the front, and so do we.
		const partial = response.status === 206;
		const output = await open(path, partial ? "a" : "w");
		try {
			let present = partial ? from : 0;
			for await (const chunk of response.body) {
				timer.refresh();
				// One write after another: none may still be under way when the rest is asked for.
				await output.writeFile(chunk);
				present += chunk.length;
				onBytes(present);
			}
		} finally {
			await output.close();
		}
	} finally {
		clearTimeout(timer);
	}
}

async function checksumOf(path: string, { checksum, sizeBytes }: HubFile): Promise<string> {
	const hash = createHash(checksum.length === 64 ? "sha256" : "sha1");
	// Git hashes a header with the content.
	if (checksum.length !== 64) hash.update(`blob ${sizeBytes}\0`);
	await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
	return hash.digest("hex");
}

async function sizeOfFile(path: string): Promise<number> {
	return stat(path).then(
		({ size }) => size,
		() => 0,
	);
}
