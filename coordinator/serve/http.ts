import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { status as Status } from "@grpc/grpc-js";
import { createAdaptorServer } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { z } from "zod";
import { describeIssue } from "../../shared/describe-issue.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { TokenRule } from "../../shared/rpc/authorization.ts";
import { CALL_LIMITS, type CallLimits, MAX_MESSAGE_BYTES } from "../../shared/rpc/config.ts";
import { readPems, type TlsFiles } from "../../shared/rpc/credentials.ts";
import { toStatus } from "../../shared/rpc/status.ts";
import { HTTP_CHECK_MS } from "../deadlines.ts";
import { checkAuthenticated, parseAddress } from "../rpc/server.ts";
import { limitHeldBytes, onlyJson, onlyLoopbackHost, requireToken } from "./http-checks.ts";
import type { ServeMetrics } from "./metrics.ts";
import { METRICS_PATH } from "./read-tokens.ts";
import { CLASSIFIER, classifyText, type ServiceParts } from "./service.ts";

export interface HttpParts extends ServiceParts {
	readonly metrics: ServeMetrics;
	readonly tokens: readonly TokenRule[] | undefined;
	/** Whether the Host header must be a loopback name, because nothing else protects against pages of other sites. */
	readonly onlyLoopback: boolean;
	/** Origin whose pages may call (CORS); undefined: none. */
	readonly cors: string | undefined;
	/** Whether health probes get the status SERVING. */
	readonly isServing: () => boolean;
}

const requestSchema = z.strictObject({
	text: z.string(),
	truncate: z.boolean().default(false),
	modelVersion: z.string().default(""),
});

/** HTTP status for each gRPC status that a call can end with; 500 for others. */
const HTTP_STATUS: Readonly<Partial<Record<Status, ContentfulStatusCode>>> = {
	[Status.INVALID_ARGUMENT]: 400,
	[Status.UNAUTHENTICATED]: 401,
	[Status.PERMISSION_DENIED]: 403,
	[Status.NOT_FOUND]: 404,
	[Status.RESOURCE_EXHAUSTED]: 429,
	[Status.UNAVAILABLE]: 503,
};

/** Creates the application: `POST /v1/classify`, `GET /metrics` and `GET /healthz`. */
export function httpApp(parts: HttpParts): Hono {
	const app = new Hono();
	if (parts.onlyLoopback) app.use(onlyLoopbackHost);
	if (parts.cors !== undefined) app.use(cors({ origin: parts.cors }));
	app.onError((error, context) => refuse(context, error));
	app.notFound((context) => refuse(context, new TailtuneError("not-found", `${context.req.path}: not found`)));
	const tooLarge = bodyLimit({
		maxSize: MAX_MESSAGE_BYTES,
		onError: (context) => context.json({ code: "INVALID_ARGUMENT", message: "the body is too large" }, 413),
	});
	const isAllowed = requireToken(`/${CLASSIFIER}/Classify`, parts.tokens);
	app.post("/v1/classify", isAllowed, onlyJson, limitHeldBytes(CALL_LIMITS.heldBytes), tooLarge, async (context) => {
		const request = parseBody(await context.req.arrayBuffer());
		return context.json(await classifyText(parts, request, context.req.raw.signal));
	});
	app.get(METRICS_PATH, requireToken(METRICS_PATH, parts.tokens), async (context) => {
		const { type, body } = await parts.metrics.text();
		return context.body(body, 200, { "content-type": type });
	});
	app.get("/healthz", (context) =>
		parts.isServing() ? context.json({ status: "SERVING" }) : context.json({ status: "NOT_SERVING" }, 503),
	);
	return app;
}

function parseBody(bytes: ArrayBuffer): z.infer<typeof requestSchema> {
	let body: unknown;
	try {
		body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
	} catch (cause) {
		throw new TailtuneError("data", "body: not JSON in UTF-8", { cause });
	}
	const { success, data, error } = requestSchema.safeParse(body);
	if (success) return data;
	const issue = error.issues[0] as z.core.$ZodIssue;
	const [place = "body"] = issue.code === "unrecognized_keys" ? issue.keys : issue.path;
	// The value may be the text, which must not appear in a message.
	throw new TailtuneError("data", `${String(place)}: ${describeIssue(issue).replace("found nothing, ", "")}`);
}

function refuse(context: Context, error: unknown): Response {
	const { code, details } = toStatus(error);
	return context.json({ code: Status[code], message: details }, HTTP_STATUS[code] ?? 500);
}

/** A server that listens. */
export interface HttpServer {
	/** HOST:PORT that it listens on. */
	readonly address: string;
	/** Refuses new connections and closes the open ones. */
	close(): Promise<void>;
}

/**
 * Serves over HTTP, or HTTPS with TLS files.
 * @param limits a request must come whole, and its headers before that, within `messageMs`
 * @throws TailtuneError "usage" if it can't listen on this address, or the address is public and nothing authenticates
 * clients
 */
export async function listenHttp(
	app: Hono,
	address: string,
	tls: TlsFiles | undefined,
	hasTokens: boolean,
	limits: Pick<CallLimits, "connections" | "headerBytes" | "messageMs"> = CALL_LIMITS,
): Promise<HttpServer> {
	const { host, port } = parseAddress(address);
	if (!hasTokens) checkAuthenticated(address, tls);
	const { connections, headerBytes, messageMs } = limits;
	const serverOptions = {
		maxHeaderSize: headerBytes,
		headersTimeout: messageMs,
		requestTimeout: messageMs,
		connectionsCheckingInterval: Math.min(messageMs, HTTP_CHECK_MS),
	};
	const server = createAdaptorServer({
		fetch: app.fetch,
		...(tls
			? { createServer: createTlsServer, serverOptions: { ...serverOptions, ...(await tlsOptions(tls)) } }
			: { createServer, serverOptions }),
	});
	server.maxConnections = connections;
	await new Promise<void>((resolve, reject) => {
		server.once("error", (cause) =>
			reject(new TailtuneError("usage", `--http ${address}: ${cause.message}`, { cause })),
		);
		server.listen(port, host.replace(/^\[(.*)\]$/, "$1"), resolve);
	});
	const close = () =>
		new Promise<void>((resolve) => {
			server.close(() => resolve());
			if ("closeAllConnections" in server) server.closeAllConnections();
		});
	return { address: `${host}:${(server.address() as AddressInfo).port}`, close };
}

async function tlsOptions(tls: TlsFiles) {
	const asksForCertificate = tls.caFile !== undefined;
	return { ...(await readPems(tls)), requestCert: asksForCertificate, rejectUnauthorized: asksForCertificate };
}
