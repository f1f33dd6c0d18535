import type { MiddlewareHandler } from "hono";
import { TailtuneError } from "../../shared/errors.ts";
import { refusalOf, type TokenRule } from "../../shared/rpc/authorization.ts";
import { MAX_MESSAGE_BYTES } from "../../shared/rpc/config.ts";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
const JSON_TYPE = /^application\/json\s*(;|$)/i;

/**
 * Refuses requests whose Host header is not a loopback name. A web page can resolve its own name to 127.0.0.1 (DNS
 * rebinding); a browser then treats this server as the page's own, but the header has the page's name.
 */
export const onlyLoopbackHost: MiddlewareHandler = async (context, next) => {
	const host = context.req.header("host") ?? "";
	if (!LOOPBACK.test(host))
		throw new TailtuneError("denied", `Host: found ${JSON.stringify(host)}, expected localhost, 127.0.0.1 or [::1]`);
	await next();
};

/**
 * Refuses bodies that aren't JSON, with status 415. Forms of any web page can send other types without the preflight
 * request that a browser sends before JSON.
 */
export const onlyJson: MiddlewareHandler = async (context, next) => {
	const type = context.req.header("content-type") ?? "";
	if (JSON_TYPE.test(type)) return next();
	const message = `content-type: found ${JSON.stringify(type)}, expected application/json`;
	return context.json({ code: "INVALID_ARGUMENT", message }, 415);
};

/** Refuses a request by its headers, before its body is read, if its token doesn't permit this path. */
export function requireToken(path: string, tokens: readonly TokenRule[] | undefined): MiddlewareHandler {
	return async (context, next) => {
		const refusal = tokens && refusalOf(context.req.header("authorization"), path, tokens);
		if (refusal) throw refusal;
		await next();
	};
}

/**
 * Refuses a request if the bodies of all unfinished requests could exceed `maxBytes`. A body counts with its announced
 * length until its request is answered.
 */
export function limitHeldBytes(maxBytes: number): MiddlewareHandler {
	let held = 0;
	return async (context, next) => {
		const announced = Number(context.req.header("content-length") ?? MAX_MESSAGE_BYTES);
		const bytes = Math.min(announced, MAX_MESSAGE_BYTES);
		if (held + bytes > maxBytes)
			throw new TailtuneError("busy", "too many bytes of unfinished requests; try again later");
		held += bytes;
		try {
			await next();
		} finally {
			held -= bytes;
		}
	};
}
