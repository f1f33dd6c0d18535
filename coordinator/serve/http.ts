import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { z } from "zod";
import { TailtuneError } from "../../shared/errors.ts";
import type { TokenRule } from "../../shared/rpc/authorization.ts";
import { CALL_LIMITS, MAX_MESSAGE_BYTES } from "../../shared/rpc/config.ts";
import { limitHeldBytes, onlyJson, onlyLoopbackHost, requireToken } from "../http/http-checks.ts";
import { parseJsonBody } from "../http/parse-json-body.ts";
import { refuseRequest } from "../http/refuse-request.ts";
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

/** Creates the application: `POST /v1/classify`, `GET /metrics` and `GET /healthz`. */
export function httpApp(parts: HttpParts): Hono {
	const app = new Hono();
	if (parts.onlyLoopback) app.use(onlyLoopbackHost);
	if (parts.cors !== undefined) app.use(cors({ origin: parts.cors }));
	app.onError((error, context) => refuseRequest(context, error));
	app.notFound((context) => refuseRequest(context, new TailtuneError("not-found", `${context.req.path}: not found`)));
	const tooLarge = bodyLimit({
		maxSize: MAX_MESSAGE_BYTES,
		onError: (context) => context.json({ code: "INVALID_ARGUMENT", message: "the body is too large" }, 413),
	});
	const isAllowed = requireToken(`/${CLASSIFIER}/Classify`, parts.tokens);
	app.post("/v1/classify", isAllowed, onlyJson, limitHeldBytes(CALL_LIMITS.heldBytes), tooLarge, async (context) => {
		const request = parseJsonBody(await context.req.arrayBuffer(), requestSchema);
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
