import { homedir } from "node:os";
import { join } from "node:path";
import { TailtuneError } from "../../shared/errors.ts";
import type { DownloadListener } from "../../shared/files/download.ts";
import { MOST_SECRET_BYTES, pathExists, readRegularFile } from "../../shared/files/regular-file.ts";
import { TimeLimit } from "../time-limit.ts";
import { CountedBlob } from "./counted-blob.ts";

export interface HubOptions {
	/** Default: the cache of Hugging Face's own tools (HF_HUB_CACHE, HF_HOME). */
	readonly cacheDir?: string;
	/** Default: HF_ENDPOINT, or the public hub. */
	readonly hubUrl?: string;
	/** Receives the size of a download, its progress, and waits for another process. Default: no messages. */
	readonly listener?: DownloadListener;
	readonly signal?: AbortSignal;
}

/** A token of the hub, and the variable or file that contains it. */
export interface HubToken {
	readonly token: string;
	readonly source: string;
}

/** Returns the address of the hub: HF_ENDPOINT, or the public hub. */
export function hubAddress({ hubUrl }: Pick<HubOptions, "hubUrl"> = {}): string {
	return (hubUrl || process.env.HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, "");
}

/** Whether only the cache may be used: HF_HUB_OFFLINE, as Hugging Face's own tools read it. */
export function isHubOffline(): boolean {
	return ["1", "on", "yes", "true"].includes((process.env.HF_HUB_OFFLINE ?? "").toLowerCase());
}

/**
 * Reads the user's token, as Hugging Face's own tools do: HF_TOKEN, or the file that `hf auth login` writes
 * (HF_TOKEN_PATH; by default `token` in HF_HOME or ~/.cache/huggingface).
 * @returns undefined if there is none
 * @throws TailtuneError "usage" that names the variable or file if it isn't a token
 */
export async function readHubToken(): Promise<HubToken | undefined> {
	const { HF_TOKEN = "", HF_TOKEN_PATH, HF_HOME, XDG_CACHE_HOME } = process.env;
	if (HF_TOKEN.trim() !== "") return checkToken(HF_TOKEN.trim(), "HF_TOKEN");
	const home = HF_HOME || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface");
	const path = HF_TOKEN_PATH || join(home, "token");
	if (!(await pathExists(path, "usage"))) return undefined;
	const token = (await readRegularFile(path, MOST_SECRET_BYTES, "usage")).toString("utf8").trim();
	return token === "" ? undefined : checkToken(token, path);
}

function checkToken(token: string, source: string): HubToken {
	if (/^hf_[\x21-\x7e]+$/.test(token)) return { token, source };
	throw new TailtuneError("usage", `${source}: expected a token that begins with hf_`);
}

/** Options of every call of the hub's client. */
export interface HubCall {
	readonly hubUrl: string;
	readonly accessToken?: string;
	readonly fetch: typeof fetch;
}

/** Without these options Node's fetch keeps all sent bytes in memory, to repeat the request at a redirect. */
const WITHOUT_COPY = { window: null, redirect: "error" } as const;

/** How long a call may take. */
export interface HubCallLimits {
	/** Time-out of a response with its body, in milliseconds, after the last sent byte of a file. */
	readonly limitMs: number;
	readonly signal: AbortSignal;
	/** Called with the number of sent bytes of a file. */
	readonly onSent?: (bytes: number) => void;
}

/**
 * Returns the options of every call of the hub's client. The token is sent only to the hub's own address; at a redirect
 * to another one, `fetch` removes it.
 */
export function callOptions(
	hubUrl: string,
	token: HubToken | undefined,
	{ limitMs, signal, onSent }: HubCallLimits,
): HubCall {
	const { origin } = new URL(hubUrl);
	const fetchWithin: typeof fetch = (url, init) => {
		const limit = new TimeLimit(limitMs, signal);
		const count = (bytes: number) => {
			limit.restart();
			onSent?.(bytes);
		};
		const headers = new Headers(init?.headers);
		if (new URL(url instanceof Request ? url.url : url).origin !== origin) headers.delete("Authorization");
		const upload = init?.body instanceof Blob && { ...WITHOUT_COPY, body: new CountedBlob(init.body, count) };
		return fetch(url, { ...init, ...upload, headers, signal: limit.signal });
	};
	return { hubUrl, ...(token && { accessToken: token.token }), fetch: fetchWithin };
}
