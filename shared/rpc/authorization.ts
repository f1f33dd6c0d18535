import { InterceptingCall, type Interceptor } from "@grpc/grpc-js";
import { sameSecret } from "./credentials.ts";
import { Refusal } from "./refusal.ts";

const KEY = "authorization";
const SCHEME = "Bearer ";

/** Call credentials that send a bearer token with every call. */
export function sendToken(token: string): Interceptor {
	return (options, nextCall) =>
		new InterceptingCall(nextCall(options), {
			start(metadata, listener, next) {
				metadata.set(KEY, SCHEME + token);
				next(metadata, listener);
			},
		});
}

/** A bearer token and the calls that it permits. */
export interface TokenRule {
	readonly token: string;
	/** @param path of a call, for example "/tailtune.v1.Exchange/Attach" */
	readonly may: (path: string) => boolean;
}

/** The refusal of a call with this `authorization` header; undefined if one of the tokens permits it. */
export function refusalOf(
	authorization: string | undefined,
	path: string,
	rules: readonly TokenRule[],
): Refusal | undefined {
	if (!authorization?.startsWith(SCHEME)) return new Refusal("REFUSAL_TOKEN", `${path}: no bearer token`);
	const found = authorization.slice(SCHEME.length);
	const known = rules.filter(({ token }) => sameSecret(found, token));
	if (known.length === 0) return new Refusal("REFUSAL_TOKEN", `${path}: wrong bearer token`);
	if (known.some(({ may }) => may(path))) return undefined;
	return new Refusal("REFUSAL_PERMISSION", `${path}: not permitted for this token`);
}
