import { TailtuneError } from "../errors.ts";
import type { PartFile } from "./part-file.ts";

/** Called with the received and the total bytes. */
export type OnProgress = (doneBytes: number, totalBytes: number) => void;

/** A file on a server. */
export interface DownloadSource {
	readonly url: string;
	/** Default: none. */
	readonly headers?: Readonly<Record<string, string>>;
	/** Maximum size; more bytes are refused. */
	readonly maxBytes: number;
	/** The exact size in bytes. Unset: unknown; the server's value is used only for `onProgress`. */
	readonly sizeBytes?: number;
	/** Size for `onProgress` if neither `sizeBytes` nor the server's value is known. Default: `maxBytes`. */
	readonly usualBytes?: number;
	/** Hexadecimal: SHA-256, or the SHA-1 of a Git blob. Unset: nothing is checked. */
	readonly checksum?: string;
}

/** Limits of one request. */
export interface TransferOptions {
	readonly onProgress?: OnProgress | undefined;
	readonly signal: AbortSignal;
	/** Time-out until the response begins, in milliseconds. */
	readonly answerMs: number;
	/** Time-out between received bytes, in milliseconds. */
	readonly stallMs: number;
}

/** Reason why a server did not send the file, in a few words. */
export class DownloadError extends Error {
	/** HTTP status, if it isn't a success. */
	readonly statusCode: number | undefined;
	/** Whether the same request may succeed if it is repeated at once. */
	readonly isTransient: boolean;

	constructor(reason: string, details: { statusCode?: number; isTransient?: boolean; cause?: unknown } = {}) {
		super(reason, { cause: details.cause });
		this.statusCode = details.statusCode;
		this.isTransient = details.isTransient ?? false;
	}
}

/** The rest that a server sends or refuses doesn't continue the received part. */
class OtherFileError extends DownloadError {
	constructor() {
		super("the server has another file than before", { isTransient: true });
	}
}

/** Returns the maximum number of bytes of the file. */
export function limitOf({ sizeBytes, maxBytes }: DownloadSource): number {
	return Math.min(sizeBytes ?? maxBytes, maxBytes);
}

/**
 * Makes one request for the missing bytes. If the server sends the whole file, the part is restarted.
 * @throws DownloadError, or TailtuneError "disk"
 */
export async function transferRest(source: DownloadSource, part: PartFile, options: TransferOptions): Promise<void> {
	const silence = new SilenceTimer();
	let response: Response | undefined;
	try {
		silence.start(options.answerMs);
		response = await request(source, part.bytes, AbortSignal.any([silence.signal, options.signal]));
		silence.start(options.stallMs);
		continueOrRestart(source, response, part);
		const total = totalOf(source, response, part.bytes);
		for await (const chunk of response.body ?? []) {
			silence.restart();
			if (part.bytes + chunk.length > limitOf(source)) throw new DownloadError(`more than ${limitOf(source)} bytes`);
			await part.append(chunk);
			options.onProgress?.(Math.min(part.bytes, total), total);
		}
	} catch (error) {
		if (error instanceof OtherFileError) {
			part.restart();
			await response?.body?.cancel();
		}
		if (error instanceof DownloadError || error instanceof TailtuneError) throw error;
		if (silence.signal.aborted) throw new DownloadError(`silent for ${silence.limitMs / 1000} s`, { cause: error });
		if (response) throw new DownloadError("the connection broke", { isTransient: true, cause: error });
		throw new DownloadError("can't be reached", { cause: error });
	} finally {
		silence.stop();
	}
}

/** Restarts the part if the server sends the whole file, and refuses a range of another file than before. */
function continueOrRestart({ sizeBytes }: DownloadSource, { status, headers }: Response, part: PartFile): void {
	if (status !== 206) {
		part.restart();
		return;
	}
	const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "") ?? [];
	const isSameFile = total === "*" || sizeBytes === undefined || Number(total) === sizeBytes;
	if (Number(from) !== part.bytes || !isSameFile) throw new OtherFileError();
}

async function request({ url, headers }: DownloadSource, from: number, signal: AbortSignal): Promise<Response> {
	const range = from > 0 && { Range: `bytes=${from}-` };
	const response = await fetch(url, { headers: { ...headers, "Accept-Encoding": "identity", ...range }, signal });
	if (response.ok) return response;
	const { status: statusCode } = response;
	await response.body?.cancel();
	// The part has more bytes than the file.
	if (statusCode === 416 && from > 0) throw new OtherFileError();
	throw new DownloadError(`status ${statusCode}`, { statusCode, isTransient: statusCode >= 500 });
}

/** Returns the total bytes for `onProgress`. */
function totalOf({ sizeBytes, usualBytes, maxBytes }: DownloadSource, response: Response, from: number): number {
	const rest = Number(response.headers.get("content-length"));
	return sizeBytes ?? (rest > 0 ? from + rest : (usualBytes ?? maxBytes));
}

/**
 * Aborts its signal after a time without data from the server. The timer keeps the controller alive: Node frees an
 * AbortSignal.timeout that is only used in an AbortSignal.any, and then fetch never ends.
 */
class SilenceTimer {
	readonly #controller = new AbortController();
	#timer: NodeJS.Timeout | undefined;
	limitMs = 0;

	get signal(): AbortSignal {
		return this.#controller.signal;
	}

	start(limitMs: number): void {
		this.stop();
		this.limitMs = limitMs;
		this.#timer = setTimeout(() => this.#controller.abort(), limitMs);
	}

	restart(): void {
		this.#timer?.refresh();
	}

	stop(): void {
		clearTimeout(this.#timer);
	}
}
