import type { MiddlewareHandler } from "hono";
import { TailtuneError } from "../../shared/errors.ts";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
const JSON_TYPE = /^application\/json\s*(;|$)/i;

/**
 * Refuses requests whose Host header names another host than this one by loopback. A web page can have its own name
 * resolved to 127.0.0.1 (DNS rebinding); to a browser the server then belongs to that page, but the header has its name.
 */
export const onlyLoopbackHost: MiddlewareHandler = async (context, next) => {
	const host = context.req.header("host") ?? "";
	if (!LOOPBACK.test(host))
		throw new TailtuneError("denied", `Host: found ${JSON.stringify(host)}, expected localhost, 127.0.0.1 or [::1]`);
	await next();
};

/**
 * Refuses bodies of another type than JSON with status 415. Forms of any web page can send those, without the question to
 * the server that a browser sends before JSON.
 */
export const onlyJson: MiddlewareHandler = async (context, next) => {
	const type = context.req.header("content-type") ?? "";
	if (JSON_TYPE.test(type)) return next();
	const message = `content-type: found ${JSON.stringify(type)}, expected application/json`;
	return context.json({ code: "INVALID_ARGUMENT", message }, 415);
};
