import { Server } from "@grpc/grpc-js";
import { RPC_KEEPALIVE_ANSWER_MS, RPC_KEEPALIVE_MS } from "../../shared/deadlines.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { TokenRule } from "../../shared/rpc/authorization.ts";
import { CALL_LIMITS, type CallLimits, MAX_MESSAGE_BYTES, WINDOW_BYTES } from "../../shared/rpc/config.ts";
import { readServerCredentials, type TlsFiles } from "../../shared/rpc/credentials.ts";
import type { RefusalReason } from "../../shared/rpc/refusal.ts";
import { silenceLibrary } from "../../shared/rpc/silence-library.ts";
import { HOST_PORT, isLoopback, splitHostPort } from "../../shared/settings/host-port.ts";
import { CallGate } from "./call-gate.ts";
import { guardCalls, meterTraffic, type Traffic, widenServerWindows } from "./http2-servers.ts";
import { createListenError, type ListenPlace } from "./listen-error.ts";
import type { RpcService } from "./rpc-service.ts";
import { prepareShutdown } from "./shut-down.ts";

export interface ServerOptions {
	/** HOST:PORT; port 0 chooses a free one. Default 127.0.0.1:0. */
	readonly listen?: string | undefined;
	/** Flag that gives the address, for messages. Default: "listen address". */
	readonly flag?: string | undefined;
	readonly tls?: TlsFiles | undefined;
	/** Bearer token that clients must send. Default: none is needed. */
	readonly token?: string | undefined;
	/** Instead of `token`: several tokens, each for some calls. */
	readonly tokens?: readonly TokenRule[] | undefined;
	/** Called for each call that is refused before it reaches its handler. */
	readonly onRefused?: ((reason: RefusalReason) => void) | undefined;
	/** Limits on unfinished calls. Default of each: that of `CALL_LIMITS`. */
	readonly limits?: Partial<CallLimits> | undefined;
}

export interface RpcServer {
	/** HOST:PORT that the server listens on. */
	readonly address: string;
	/** Number of unfinished calls, and bytes of their requests in memory. */
	readonly load: CallGate["load"];
	/** Bytes of all connections so far. */
	readonly traffic: Traffic;
	/** Refuses new calls, waits at most `graceMs` (default 0) for the unfinished ones, then ends them. */
	close(graceMs?: number): Promise<void>;
}

/**
 * Starts a gRPC server with keepalive, wide windows and limits on unfinished calls. On a public address clients must be
 * authenticated.
 * @throws TailtuneError "usage" if it can't listen on the address, or the address is public and nothing authenticates
 * clients; "denied" if TLS files can't be used
 */
export async function createServer(options: ServerOptions, services: readonly RpcService[]): Promise<RpcServer> {
	const { listen = "127.0.0.1:0", flag = "listen address", tls, token, onRefused = () => {} } = options;
	const place = { address: listen, flag };
	const tokens = options.tokens ?? (token === undefined ? undefined : [{ token, may: () => true }]);
	const { host } = parseAddress(place);
	if (tokens === undefined) checkAuthenticated(place, tls);
	silenceLibrary();
	const limits = { ...CALL_LIMITS, ...options.limits };
	const gate = new CallGate({ services, tokens, limits, onRefused });
	const server = new Server({
		"grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
		"grpc.max_send_message_length": MAX_MESSAGE_BYTES,
		"grpc.keepalive_time_ms": RPC_KEEPALIVE_MS,
		"grpc.keepalive_timeout_ms": RPC_KEEPALIVE_ANSWER_MS,
		"grpc.max_concurrent_streams": limits.streams,
	});
	for (const { definition, handlers } of services) server.addService(definition, handlers);
	const credentials = await readServerCredentials(tls);
	const port = await new Promise<number>((resolve, reject) => {
		server.bindAsync(listen, credentials, (cause, bound) => {
			if (cause) reject(createListenError(place, cause));
			else resolve(bound);
		});
	});
	widenServerWindows(server, WINDOW_BYTES);
	guardCalls(server, gate, limits);
	const traffic = meterTraffic(server);
	const shutDown = prepareShutdown(server);
	return {
		address: `${host}:${port}`,
		get load() {
			return gate.load;
		},
		get traffic() {
			return traffic();
		},
		close: (graceMs = 0) => shutDown(graceMs),
	};
}

/** Splits HOST:PORT. @throws TailtuneError "usage" if the address has another form */
export function parseAddress({ address, flag }: ListenPlace): { host: string; port: number } {
	const parts = splitHostPort(address);
	if (!parts) throw new TailtuneError("usage", `${flag} ${address}: ${HOST_PORT}`);
	return parts;
}

/** @throws TailtuneError "usage" if a server without tokens would be open to everybody */
export function checkAuthenticated({ address, flag }: ListenPlace, tls: TlsFiles | undefined): void {
	if (tls?.caFile !== undefined || isLoopback(address)) return;
	throw new TailtuneError(
		"usage",
		`${flag} ${address}: to listen on a public address set a token, or TLS with a CA for client certificates`,
	);
}
