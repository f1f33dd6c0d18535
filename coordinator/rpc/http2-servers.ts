import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Server as NetServer, Socket } from "node:net";
import type { Server } from "@grpc/grpc-js";
import { TailtuneError } from "../../shared/errors.ts";
import type { CallLimits } from "../../shared/rpc/config.ts";
import type { CallGate } from "./call-gate.ts";

/**
 * The http2 servers beneath a bound gRPC server. There is no public way to them, so this one goes through a private
 * field, and a test watches that it is still there.
 * @throws TailtuneError "engine" where this version of grpc-js keeps them elsewhere
 */
function http2ServersOf(server: Server): Http2Server[] {
	const { http2Servers } = server as unknown as { http2Servers?: Map<Http2Server, unknown> };
	if (http2Servers?.size) return [...http2Servers.keys()];
	throw new TailtuneError("engine", "grpc-js keeps its http2 servers elsewhere, expected 1.14");
}

/**
 * Lets clients of a bound server have `bytes` under way. grpc-js 1.14 has an option for that on the client's side only; a
 * server stays at 64 KiB a stream and a connection, which made uploads of 28 MB three times slower.
 */
export function widenServerWindows(server: Server, bytes: number): void {
	for (const http2Server of http2ServersOf(server)) {
		http2Server.on("session", (session) => {
			session.settings({ initialWindowSize: bytes });
			session.setLocalWindowSize(bytes);
		});
	}
}

/**
 * Has a gate decide on every call of a bound server, as soon as its headers are there, and limits its connections. The
 * library's own way, an interceptor, is not told how many bytes come, and can't limit those of one service.
 */
export function guardCalls(server: Server, gate: CallGate, { connections, headerBytes }: CallLimits): void {
	for (const http2Server of http2ServersOf(server)) {
		(http2Server as Http2Server & NetServer).maxConnections = connections;
		http2Server.on("session", (session) => session.settings({ maxHeaderListSize: headerBytes }));
		const letIn = http2Server.listeners("stream");
		http2Server.removeAllListeners("stream");
		http2Server.on(
			"stream",
			(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, rawHeaders: readonly string[]) =>
				gate.enter(stream, headers, rawHeaders, () => {
					for (const handle of letIn) handle.call(http2Server, stream, headers, flags, rawHeaders);
				}),
		);
	}
}

/**
 * Keeps the connections of a bound server at hand. A shutdown, forced or not, waits for each client to close its side:
 * for ever, where a client is stopped or its network is gone (test/cluster/elastic.test.ts: a worker falls silent).
 * @returns what cuts all of them off at once
 */
export function holdConnections(server: Server): () => void {
	const sockets = new Set<Socket>();
	for (const http2Server of http2ServersOf(server)) {
		http2Server.on("connection", (socket: Socket) => {
			sockets.add(socket);
			socket.once("close", () => sockets.delete(socket));
		});
	}
	return () => {
		for (const socket of sockets) socket.destroy();
	};
}
