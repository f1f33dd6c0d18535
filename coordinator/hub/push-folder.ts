import { openAsBlob } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { commitIter, createRepo, HubApiError, modelInfo } from "@huggingface/hub";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { toReadError } from "../../shared/files/regular-file.ts";
import { HUB_UPLOAD_ANSWER_MS } from "../deadlines.ts";
import { callOptions, type HubCall, type HubOptions, type HubToken, hubAddress } from "./hub-access.ts";
import { explainHubError } from "./hub-error.ts";

/** A file of a folder. */
export interface FolderFile {
	/** Relative to the folder, with "/". */
	readonly path: string;
	readonly bytes: number;
}

export interface PushRequest {
	readonly folder: string;
	readonly files: readonly FolderFile[];
	/** OWNER/NAME; created if it doesn't exist. */
	readonly repo: string;
	/** Whether a new repository is private. A public one that exists is refused then. */
	readonly isPrivate: boolean;
	readonly token: HubToken;
	/** First line of the commit's message. */
	readonly title: string;
}

/** Lists the files of a folder and of its subfolders, in order. */
export async function listFolder(folder: string): Promise<FolderFile[]> {
	const entries = await readdir(folder, { recursive: true, withFileTypes: true });
	const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
	const files = paths.sort().map(async (path) => {
		return { path: relative(folder, path).split(sep).join("/"), bytes: (await stat(path)).size };
	});
	return Promise.all(files);
}

/**
 * Uploads the files of a folder to a repository of the hub in one commit: either all of them become visible or none.
 * Files that the hub has already aren't sent again. Large files are streamed from the disk by Git LFS's protocol, which
 * every hub understands, not by Xet's.
 * @returns the commit
 * @throws TailtuneError "usage", "denied", "not-found", "offline", "protocol", "disk" or "interrupted"
 */
export async function pushFolder(request: PushRequest, options: HubOptions): Promise<string> {
	const { repo, token, folder, files } = request;
	const hubUrl = hubAddress(options);
	const { listener, signal = new AbortController().signal } = options;
	const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
	const report = listener?.download(repo);
	let sent = 0;
	const onSent = (bytes: number) => {
		sent += bytes;
		// The last byte is reported when the commit is there.
		report?.(Math.min(sent, total - 1), total);
	};
	const call = callOptions(hubUrl, token, { limitMs: HUB_UPLOAD_ANSWER_MS, signal, onSent });
	try {
		signal.throwIfAborted();
		await createRepository(request, { ...call, accessToken: token.token });
		const commit = await commitFiles(request, { ...call, abortSignal: signal });
		report?.(total, total);
		return commit;
	} catch (error) {
		if (!(error instanceof TailtuneError) && systemCodeOf(error) !== undefined)
			throw toReadError(folder, error, "disk");
		const advice = "run again to continue: files that have arrived aren't sent again";
		const access = `no write access to ${repo}`;
		const what = { what: `push ${repo}`, missing: "no owner or repository", advice, access };
		throw explainHubError(error, { ...what, folder, hubUrl, token, signal });
	}
}

async function createRepository(
	{ repo, isPrivate }: PushRequest,
	call: HubCall & { readonly accessToken: string },
): Promise<void> {
	try {
		await createRepo({ repo, ...(isPrivate && { visibility: "private" }), ...call });
	} catch (error) {
		if (!(error instanceof HubApiError) || error.statusCode !== 409) throw error;
		if (!isPrivate || (await modelInfo({ name: repo, revision: "main", ...call })).private) return;
		throw new TailtuneError("usage", `--private: ${repo} exists and is public; expected a new or a private repository`);
	}
}

async function commitFiles(
	{ repo, title, folder, files }: PushRequest,
	call: HubCall & { readonly abortSignal: AbortSignal },
): Promise<string> {
	const operations = await Promise.all(
		files.map(async ({ path }) => {
			// The client's own way of reading files holds a whole one in memory if the network is slow.
			return { operation: "addOrUpdate" as const, path, content: await openAsBlob(join(folder, path)) };
		}),
	);
	const steps = commitIter({ repo, title, operations, useXet: false, ...call });
	for (;;) {
		const { done, value } = await steps.next();
		if (!done) continue;
		if (value?.commit.oid) return value.commit.oid;
		throw new TailtuneError("protocol", `${repo}: expected a commit from the hub`);
	}
}
