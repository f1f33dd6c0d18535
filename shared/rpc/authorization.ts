import {
	InterceptingCall,
	type Interceptor,
	type Metadata,
	ServerInterceptingCall,
	type ServerInterceptor,
} from "@grpc/grpc-js";
import { sameSecret } from "./credentials.ts";
import { Refusal, type RefusalReason } from "./refusal.ts";
import { toStatus } from "./status.ts";

const KEY = "authorization";
const SCHEME = "Bearer ";

/** Whoever asks for a server's health has no token: probes of service managers. */
const OPEN_SERVICE = "/grpc.health.v1.Health/";

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

/** Refuses calls without a token before their handler sees them; asking for the server's health needs none. */
export function requireToken(
	rules: readonly TokenRule[],
	onRefused: (reason: RefusalReason) => void,
): ServerInterceptor {
	return (method, call) => {
		if (method.path.startsWith(OPEN_SERVICE)) return new ServerInterceptingCall(call);
		return new ServerInterceptingCall(call, {
			start(next) {
				next({
					onReceiveMetadata(metadata, accept) {
						const refusal = refusalOf(authorizationIn(metadata), method.path, rules);
						if (!refusal) return accept(metadata);
						onRefused(refusal.reason);
						call.sendStatus(toStatus(refusal));
					},
				});
			},
		});
	};
}

function authorizationIn(metadata: Metadata): string | undefined {
	const [value] = metadata.get(KEY);
	return typeof value === "string" ? value : undefined;
}
