import type { IncomingMessage, ServerResponse } from "node:http";
import type { ExecutionContext } from "ava";
import { serveHttp } from "../../serve-http.ts";

/** A local server with the hub's endpoints for uploads to one repository. */
export interface UploadHub {
	readonly url: string;
	/** Method and path of each request, and its token. */
	readonly requests: { readonly call: string; readonly authorization: string | undefined }[];
	/** Bodies of the requests that create a repository. */
	readonly created: Record<string, unknown>[];
	/** The repository if it exists. */
	repository: { readonly isPrivate: boolean } | undefined;
	/** Stored large files by SHA-256. */
	readonly objects: Map<string, Buffer>;
	/** The files of the last commit. */
	readonly files: Map<string, Buffer>;
	/** Title of the last commit. */
	summary: string | undefined;
	/** Large files are sent in parts of this size; undefined: in one request. */
	partBytes: number | undefined;
	/** Every request is answered with this status and explanation. */
	refusal: { readonly status: number; readonly error: string } | undefined;
	/** Uploads are redirected to this address. */
	redirect: string | undefined;
	/** Called before an upload is answered. */
	onUpload: () => void;
}

export const COMMIT_OID = "89abcdef0123456789abcdef0123456789abcdef";

/** Serves uploads until the test ends. */
export async function startUploadHub(t: ExecutionContext): Promise<UploadHub> {
	const url = await serveHttp(t, (request, response) => void answer(hub, request, response));
	const hub: UploadHub = {
		url,
		requests: [],
		created: [],
		repository: undefined,
		objects: new Map(),
		files: new Map(),
		summary: undefined,
		partBytes: undefined,
		refusal: undefined,
		redirect: undefined,
		onUpload: () => {},
	};
	return hub;
}

async function answer(hub: UploadHub, request: IncomingMessage, response: ServerResponse): Promise<void> {
	const path = request.url?.split("?")[0] ?? "";
	hub.requests.push({ call: `${request.method} ${path}`, authorization: request.headers.authorization });
	const chunks: Buffer[] = [];
	for await (const chunk of request) chunks.push(chunk);
	const body = Buffer.concat(chunks);
	if (hub.refusal) return json(response, { error: hub.refusal.error }, hub.refusal.status);
	if (/^\/(put|part|complete)\//.test(path)) return store(hub, path, body, response);
	const [, call] = /\/(create|revision|preupload|commit|batch)(\/main)?$/.exec(path) ?? [];
	const calls: Record<string, () => void> = {
		create: () => create(hub, JSON.parse(body.toString()), response),
		revision: () => json(response, { _id: "1", id: "me/spam", private: hub.repository?.isPrivate }),
		preupload: () => json(response, { files: JSON.parse(body.toString()).files.map(toUploadMode) }),
		batch: () => json(response, { objects: JSON.parse(body.toString()).objects.map(describeUpload, hub) }),
		commit: () => commit(hub, body, response),
	};
	(calls[call ?? ""] ?? (() => json(response, { error: "Not found" }, 404)))();
}

function create(hub: UploadHub, body: Record<string, unknown>, response: ServerResponse): void {
	hub.created.push(body);
	const exists = hub.repository !== undefined;
	hub.repository ??= { isPrivate: body.visibility === "private" };
	if (exists) json(response, { error: "You already created this model repo" }, 409);
	else json(response, { url: `${hub.url}/me/spam`, id: "1" });
}

function toUploadMode({ path }: { path: string }) {
	return { path, uploadMode: path.endsWith(".safetensors") ? "lfs" : "regular" };
}

function describeUpload(this: UploadHub, { oid, size }: { oid: string; size: number }) {
	const { objects, partBytes, url } = this;
	if (objects.has(oid)) return { oid, size };
	if (partBytes === undefined) return { oid, size, actions: { upload: { href: `${url}/put/${oid}` } } };
	const parts = Array.from({ length: Math.ceil(size / partBytes) }, (_, i) => String(i + 1).padStart(5, "0"));
	const header = Object.fromEntries(parts.map((part) => [part, `${url}/part/${oid}/${part}`]));
	const upload = { href: `${url}/complete/${oid}`, header: { ...header, chunk_size: String(partBytes) } };
	return { oid, size, actions: { upload } };
}

function store({ objects, onUpload, redirect }: UploadHub, path: string, body: Buffer, response: ServerResponse): void {
	const [, kind, oid = "", part] = path.split("/");
	onUpload();
	if (redirect) {
		response.writeHead(307, { Location: redirect }).end();
		return;
	}
	if (kind === "put") objects.set(oid, body);
	if (kind === "part") objects.set(`${oid} ${part}`, body);
	if (kind === "complete") {
		const { parts } = JSON.parse(body.toString()) as { parts: { etag: string }[] };
		objects.set(oid, Buffer.concat(parts.map(({ etag }) => objects.get(etag) as Buffer)));
	}
	response.writeHead(200, { ETag: `${oid} ${part}` }).end("{}");
}

function commit(hub: UploadHub, body: Buffer, response: ServerResponse): void {
	hub.files.clear();
	for (const { key, value } of body
		.toString()
		.split("\n")
		.map((line) => JSON.parse(line))) {
		if (key === "header") hub.summary = value.summary;
		if (key === "file") hub.files.set(value.path, Buffer.from(value.content, value.encoding));
		if (key === "lfsFile") hub.files.set(value.path, hub.objects.get(value.oid) as Buffer);
	}
	json(response, { success: true, commitOid: COMMIT_OID, commitUrl: `${hub.url}/me/spam/commit/${COMMIT_OID}` });
}

function json(response: ServerResponse, content: unknown, status = 200): void {
	response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(content));
}
