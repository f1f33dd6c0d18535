import { Server } from "@grpc/grpc-js";
import { TailtuneError } from "../../shared/errors.ts";
import type { TokenRule } from "../../shared/rpc/authorization.ts";
import {
	CALL_LIMITS,
	type CallLimits,
	KEEPALIVE_LIMIT_MS,
	KEEPALIVE_MS,
	MAX_MESSAGE_BYTES,
	WINDOW_BYTES,
} from "../../shared/rpc/config.ts";
import { readServerCredentials, type TlsFiles } from "../../shared/rpc/credentials.ts";
import type { RefusalReason } from "../../shared/rpc/refusal.ts";
import { silenceLibrary } from "../../shared/rpc/silence-library.ts";
import { CallGate } from "./call-gate.ts";
import { guardCalls, holdConnections, widenServerWindows } from "./http2-servers.ts";
import type { RpcService } from "./rpc-service.ts";

export interface ServerOptions {
	/** HOST:PORT; port 0 takes a free one. Default 127.0.0.1:0. */
	readonly listen?: string | undefined;
	readonly tls?: TlsFiles | undefined;
	/** Clients must send it as bearer token. */
	readonly token?: string | undefined;
	/** In its place: several tokens, each for some calls. */
	readonly tokens?: readonly TokenRule[] | undefined;
	/** Told of each call refused before its handler is called. */
	readonly onRefused?: ((reason: RefusalReason) => void) | undefined;
	/** How much callers may have under way. Default of each: that of `CALL_LIMITS`. */
	readonly limits?: Partial<CallLimits> | undefined;
}

export interface RpcServer {
	/** HOST:PORT that it listens on. */
	readonly address: string;
	/** Calls under way, and the bytes of requests that they have in memory. */
	readonly load: CallGate["load"];
	/** Takes no new call, gives those under way `graceMs` (default 0) to end, then cuts them off. */
	close(graceMs?: number): Promise<void>;
}

/**
 * Starts a gRPC server: keepalive, wide windows, limits on all that callers may have under way. Beyond loopback it wants to
 * know its clients.
 * @throws TailtuneError "usage" where it can't listen there, or would serve anybody; "denied" where TLS files aren't usable
 */
export async function createServer(options: ServerOptions, services: readonly RpcService[]): Promise<RpcServer> {
	const { listen = "127.0.0.1:0", tls, token, onRefused = () => {} } = options;
	const tokens = options.tokens ?? (token === undefined ? undefined : [{ token, may: () => true }]);
	const { host } = parseAddress(listen);
	if (tokens === undefined) checkOpenDoor(listen, tls);
	silenceLibrary();
	const limits = { ...CALL_LIMITS, ...options.limits };
	const gate = new CallGate({ services, tokens, limits, onRefused });
	const server = new Server({
		"grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
		"grpc.max_send_message_length": MAX_MESSAGE_BYTES,
		"grpc.keepalive_time_ms": KEEPALIVE_MS,
		"grpc.keepalive_timeout_ms": KEEPALIVE_LIMIT_MS,
		"grpc.max_concurrent_streams": limits.streams,
	});
	for (const { definition, handlers } of services) server.addService(definition, handlers);
	const credentials = await readServerCredentials(tls);
	const port = await new Promise<number>((resolve, reject) => {
		server.bindAsync(listen, credentials, (cause, bound) => {
			if (cause) reject(new TailtuneError("usage", `listen address ${listen}: ${cause.message}`, { cause }));
			else resolve(bound);
		});
	});
	widenServerWindows(server, WINDOW_BYTES);
	guardCalls(server, gate, limits);
	const cutOff = holdConnections(server);
	return {
		address: `${host}:${port}`,
		get load() {
			return gate.load;
		},
		close: (graceMs = 0) => shutDown(server, graceMs, cutOff),
	};
}

function shutDown(server: Server, graceMs: number, cutOff: () => void): Promise<void> {
	return new Promise((resolve) => {
		const timer = setTimeout(() => {
			server.forceShutdown();
			cutOff();
		}, graceMs);
		server.tryShutdown(() => {
			clearTimeout(timer);
			resolve();
		});
	});
}

/** HOST:PORT in its parts. @throws TailtuneError "usage" where it isn't such */
export function parseAddress(address: string): { host: string; port: number } {
	const [, host = "", port] = /^(.*):(\d+)$/.exec(address) ?? [];
	if (!host || Number(port) > 65_535) throw new TailtuneError("usage", `listen address ${address}: expected HOST:PORT`);
	return { host, port: Number(port) };
}

/** @throws TailtuneError "usage" where a server without tokens would serve anybody */
export function checkOpenDoor(address: string, tls: TlsFiles | undefined): void {
	if (tls?.caFile !== undefined || isLoopback(parseAddress(address).host)) return;
	throw new TailtuneError("usage", `listen address ${address}: beyond loopback a token or mTLS is needed`);
}

function isLoopback(host: string): boolean {
	return /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(host);
}
