import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Server as NetServer, Socket } from "node:net";
import type { Server } from "@grpc/grpc-js";
import { TailtuneError } from "../../shared/errors.ts";
import type { CallLimits } from "../../shared/rpc/config.ts";
import type { CallGate } from "./call-gate.ts";

/**
 * The http2 servers of a bound gRPC server. grpc-js doesn't publish them, so this reads a private field; its version is
 * pinned and a test checks the field.
 * @throws TailtuneError "engine" if this version of grpc-js has no such field
 */
export function http2ServersOf(server: Server): Http2Server[] {
	const { http2Servers } = server as unknown as { http2Servers?: Map<Http2Server, unknown> };
	if (http2Servers?.size) return [...http2Servers.keys()];
	throw new TailtuneError("engine", "found no http2 servers in grpc-js, expected version 1.14");
}

/**
 * Sets the flow-control windows of a bound server to `bytes`. grpc-js 1.14 has this option for clients only; a server
 * keeps 64 KiB per stream and connection, which made uploads of 28 MB three times slower.
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
 * Lets a gate decide on every call of a bound server when its headers arrive, and limits connections. The library's
 * interceptors don't see how many bytes arrive, and can't limit one service.
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

/** Bytes of connections since they were opened. */
export interface Traffic {
	readonly sent: number;
	readonly received: number;
}

/** Counts the bytes of all connections of a bound server. @returns a function that returns those so far */
export function meterTraffic(server: Server): () => Traffic {
	const open = new Set<Socket>();
	let closed: Traffic = { sent: 0, received: 0 };
	const plus = ({ sent, received }: Traffic, { bytesWritten, bytesRead }: Socket): Traffic => ({
		sent: sent + bytesWritten,
		received: received + bytesRead,
	});
	for (const http2Server of http2ServersOf(server)) {
		http2Server.on("connection", (socket: Socket) => {
			open.add(socket);
			socket.once("close", () => {
				open.delete(socket);
				closed = plus(closed, socket);
			});
		});
	}
	return () => [...open].reduce(plus, closed);
}

/**
 * Collects the connections of a bound server. A shutdown, forced or not, waits until each client closes its side:
 * forever if a client is stopped or its network is gone (test/cluster/elastic.test.ts: a worker falls silent).
 * @returns a function that closes all of them at once
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
