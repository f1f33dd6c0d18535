import { InterceptingCall, type Interceptor } from "@grpc/grpc-js";
import { sameSecret } from "./credentials.ts";
import { Refusal } from "./refusal.ts";

const KEY = "authorization";
const SCHEME = "Bearer ";

/** Sends a bearer token with every call. */
export function sendToken(token: string): Interceptor {
	return (options, nextCall) =>
		new InterceptingCall(nextCall(options), {
			start(metadata, listener, next) {
				metadata.set(KEY, SCHEME + token);
				next(metadata, listener);
			},
		});
}

/** A bearer token, and what it opens. */
export interface TokenRule {
	readonly token: string;
	/** @param path of a call, as in "/tailtune.v1.Tensors/Attach" */
	readonly may: (path: string) => boolean;
}

/** Why a call with that `authorization` is refused; undefined where one of the tokens opens it. */
export function refusalOf(
	authorization: string | undefined,
	path: string,
	rules: readonly TokenRule[],
): Refusal | undefined {
	if (!authorization?.startsWith(SCHEME)) return new Refusal("REFUSAL_TOKEN", `${path}: no bearer token`);
	const found = authorization.slice(SCHEME.length);
	const known = rules.filter(({ token }) => sameSecret(found, token));
	if (known.length === 0) return new Refusal("REFUSAL_TOKEN", `${path}: not the right bearer token`);
	if (known.some(({ may }) => may(path))) return undefined;
	return new Refusal("REFUSAL_PERMISSION", `${path}: not for the bearer of this token`);
}
