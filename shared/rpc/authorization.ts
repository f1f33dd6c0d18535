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

/** Refuses calls without the token before their handler sees them; asking for the server's health needs none. */
export function requireToken(token: string, onRefused: (reason: RefusalReason) => void): ServerInterceptor {
	return (method, call) => {
		if (method.path.startsWith(OPEN_SERVICE)) return new ServerInterceptingCall(call);
		return new ServerInterceptingCall(call, {
			start(next) {
				next({
					onReceiveMetadata(metadata, accept) {
						const found = tokenIn(metadata);
						if (found !== undefined && sameSecret(found, token)) return accept(metadata);
						onRefused("REFUSAL_TOKEN");
						const problem = found === undefined ? "no bearer token" : "not the right bearer token";
						call.sendStatus(toStatus(new Refusal("REFUSAL_TOKEN", `${method.path}: ${problem}`)));
					},
				});
			},
		});
	};
}

function tokenIn(metadata: Metadata): string | undefined {
	const [value] = metadata.get(KEY);
	return typeof value === "string" && value.startsWith(SCHEME) ? value.slice(SCHEME.length) : undefined;
}
