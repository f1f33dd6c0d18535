import pRetry from "p-retry";

/** Called with bytes that are there, and bytes in all. */
export type OnProgress = (doneBytes: number, totalBytes: number) => void;

/** Limits of a small download. */
export interface DownloadLimits {
	/** Given up where nothing came for so long. */
	readonly silenceMs: number;
	/** More bytes than that are refused. */
	readonly mostBytes: number;
	/** Reported as the size where the server doesn't say. */
	readonly usualBytes: number;
}

const RETRIES = 1;
const RETRY_AFTER_MS = 300;

/** Why an address gave nothing, in a few words. */
export class DownloadError extends Error {
	/** Whether the same address may do better at once. */
	readonly isPassing: boolean;

	constructor(reason: string, isPassing: boolean, options?: ErrorOptions) {
		super(reason, options);
		this.isPassing = isPassing;
	}
}

/**
 * The bytes at an address. An answer that breaks off or says "server error" is asked for once more; one that doesn't
 * come, isn't.
 * @throws DownloadError
 */
export async function downloadBytes(url: string, limits: DownloadLimits, onProgress?: OnProgress): Promise<Uint8Array> {
	return pRetry(() => downloadOnce(url, limits, onProgress), {
		retries: RETRIES,
		minTimeout: RETRY_AFTER_MS,
		shouldRetry: ({ error }) => error instanceof DownloadError && error.isPassing,
	});
}

async function downloadOnce(url: string, limits: DownloadLimits, onProgress?: OnProgress): Promise<Uint8Array> {
	const silence = new AbortController();
	const timer = setTimeout(() => silence.abort(), limits.silenceMs);
	let response: Response | undefined;
	try {
		response = await fetch(url, { signal: silence.signal, headers: { "Accept-Encoding": "identity" } });
		if (!response.ok) throw new DownloadError(`status ${response.status}`, response.status >= 500);
		const total = Number(response.headers.get("content-length")) || limits.usualBytes;
		const chunks: Uint8Array[] = [];
		let done = 0;
		for await (const chunk of response.body ?? []) {
			timer.refresh();
			chunks.push(chunk);
			done += chunk.length;
			if (done > limits.mostBytes) throw new DownloadError(`more than ${limits.mostBytes} bytes`, false);
			onProgress?.(Math.min(done, total), total);
		}
		onProgress?.(total, total);
		return Buffer.concat(chunks);
	} catch (error) {
		if (error instanceof DownloadError) throw error;
		if (silence.signal.aborted) throw new DownloadError(`silent for ${limits.silenceMs / 1000} s`, false);
		if (response) throw new DownloadError("the answer broke off", true, { cause: error });
		throw new DownloadError("can't be reached", false, { cause: error });
	} finally {
		clearTimeout(timer);
	}
}
