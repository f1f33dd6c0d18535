import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ExecutionContext } from "ava";
import { serveHttp } from "../../serve-http.ts";

export const REPO = "someone/tiny";
export const COMMIT = "0123456789abcdef0123456789abcdef01234567";

/** A request received by the hub. */
export interface SeenRequest {
	readonly path: string;
	readonly range: string | undefined;
	readonly authorization: string | undefined;
}

/** A local server with the hub's endpoints for one repository. */
export interface FakeHub {
	readonly url: string;
	readonly requests: SeenRequest[];
	/** Commits by branch or tag, and content by path, the same in all commits; may be changed between requests. */
	readonly revisions: Map<string, string>;
	readonly files: Map<string, Buffer>;
	/** Responses with large files end after this many bytes, while `cuts` is above 0; Infinity: always. */
	cutAfterBytes: number;
	cuts: number;
	/** Large files are sent with their last byte changed. */
	corrupt: boolean;
	/** Large files are redirected to this address of another server. */
	storage: string | undefined;
	/** Every request is answered with this status. */
	status: number | undefined;
	/** No request is answered. */
	silent: boolean;
}

const isLarge = (path: string) => /\.(safetensors|parquet)$/.test(path);

/** Serves the files until the test ends. */
export async function startFakeHub(t: ExecutionContext, files: Record<string, Buffer>): Promise<FakeHub> {
	const url = await serveHttp(t, (request, response) => {
		void answer(hub, request, response);
	});
	const hub: FakeHub = {
		url,
		requests: [],
		revisions: new Map([["main", COMMIT]]),
		files: new Map(Object.entries(files)),
		cutAfterBytes: 0,
		cuts: 0,
		corrupt: false,
		storage: undefined,
		status: undefined,
		silent: false,
	};
	return hub;
}

async function answer(hub: FakeHub, request: IncomingMessage, response: ServerResponse): Promise<void> {
	const path = request.url?.split("?")[0] ?? "";
	const { range, authorization } = request.headers;
	hub.requests.push({ path, range, authorization });
	if (hub.silent) return;
	const short = /^((?:\/api\/models)?\/)tiny(\/.*)$/.exec(path);
	if (short) response.writeHead(307, { Location: `${short[1]}${REPO}${short[2]}` }).end();
	else if (hub.status !== undefined) json(response, {}, hub.status);
	else if (path.startsWith(`/datasets/`) || path.startsWith(`/api/datasets/`))
		answerDataset(hub, path, range, response);
	else await answerModel(hub, path, request, response);
}

async function answerModel(hub: FakeHub, path: string, request: IncomingMessage, response: ServerResponse) {
	const [, call, rest = ""] =
		new RegExp(`^(?:/api/models)?/${REPO}/(revision|paths-info|resolve)/(.*)$`).exec(path) ?? [];
	const [, commit = "", file = ""] = /^([0-9a-f]{40})\/(.*)$/.exec(rest) ?? [];
	const sha = hub.revisions.get(decodeURIComponent(rest));
	const hasCommit = (id: string) => [...hub.revisions.values()].includes(id);
	if (call === "revision" && sha) json(response, { _id: "1", id: REPO, sha });
	else if (call === "paths-info" && hasCommit(rest)) json(response, await describe(hub, request));
	else if (call === "resolve" && hasCommit(commit) && hub.files.has(file)) {
		if (hub.storage && isLarge(file)) response.writeHead(302, { Location: `${hub.storage}${path}` }).end();
		else send(hub, file, request.headers.range, response);
	} else json(response, { error: "Not found" }, 404);
}

function answerDataset(hub: FakeHub, path: string, range: string | undefined, response: ServerResponse): void {
	const file = path.slice(`/datasets/${REPO}/resolve/${COMMIT}/`.length);
	if (path === `/api/datasets/${REPO}/revision/main`) json(response, { _id: "1", id: REPO, sha: COMMIT });
	else if (path === `/api/datasets/${REPO}/tree/${COMMIT}`)
		json(
			response,
			[...hub.files.keys()].flatMap((own) => infoOf(hub, own)),
		);
	else if (path.startsWith("/datasets/") && hub.files.has(file)) send(hub, file, range, response);
	else json(response, { error: "Not found" }, 404);
}

/** Large files are identified by sha256, small ones by Git's sha1 of a header and the content. */
async function describe(hub: FakeHub, request: IncomingMessage): Promise<object[]> {
	const chunks: Buffer[] = [];
	for await (const chunk of request) chunks.push(chunk);
	const { paths } = JSON.parse(Buffer.concat(chunks).toString()) as { paths: string[] };
	return paths.flatMap((path) => infoOf(hub, path));
}

function infoOf(hub: FakeHub, path: string): object[] {
	const content = hub.files.get(path);
	if (!content) return [];
	const oid = createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
	const lfs = { oid: createHash("sha256").update(content).digest("hex"), size: content.length, pointerSize: 134 };
	return [{ type: "file", path, oid, size: content.length, ...(isLarge(path) && { lfs }) }];
}

function send(hub: FakeHub, path: string, range: string | undefined, response: ServerResponse): void {
	const content = Buffer.from(hub.files.get(path) as Buffer);
	if (hub.corrupt && isLarge(path)) content.writeUInt8(content.readUInt8(content.length - 1) ^ 1, content.length - 1);
	const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
	const length = content.length - start;
	const partial = { "Content-Range": `bytes ${start}-${content.length - 1}/${content.length}` };
	response.writeHead(range ? 206 : 200, { "Content-Length": length, ...(range && partial) });
	if (!isLarge(path) || hub.cuts === 0) {
		response.end(content.subarray(start));
		return;
	}
	hub.cuts--;
	response.write(content.subarray(start, start + hub.cutAfterBytes), () => response.socket?.end());
}

function json(response: ServerResponse, content: unknown, status = 200): void {
	response.writeHead(status, { "Content-Type": "application/json" });
	response.end(JSON.stringify(content));
}
