import type { MiddlewareHandler } from "hono";
import { TailtuneError } from "../../shared/errors.ts";
import { refusalOf, type TokenRule } from "../../shared/rpc/authorization.ts";
import { MAX_MESSAGE_BYTES } from "../../shared/rpc/config.ts";

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

/** Refuses a request on its headers, before its body is read, if none of the tokens opens that path. */
export function requireToken(path: string, tokens: readonly TokenRule[] | undefined): MiddlewareHandler {
	return async (context, next) => {
		const refusal = tokens && refusalOf(context.req.header("authorization"), path, tokens);
		if (refusal) throw refusal;
		await next();
	};
}

/**
 * Refuses a request while the bodies of those under way may take `maxBytes` together. A body counts with the length that is
 * announced, until its request is answered.
 */
export function limitHeldBytes(maxBytes: number): MiddlewareHandler {
	let held = 0;
	return async (context, next) => {
		const announced = Number(context.req.header("content-length") ?? MAX_MESSAGE_BYTES);
		const bytes = Math.min(announced, MAX_MESSAGE_BYTES);
		if (held + bytes > maxBytes) throw new TailtuneError("busy", "too much is being received; try again later");
		held += bytes;
		try {
			await next();
		} finally {
			held -= bytes;
		}
	};
}
