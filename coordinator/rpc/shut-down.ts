import type { Server } from "@grpc/grpc-js";
import { holdConnections, http2ServersOf } from "./http2-servers.ts";

/**
 * Prepares the end of a bound gRPC server, before the first client connects.
 * @returns a function that refuses new calls, waits at most `graceMs` for the unfinished ones, then ends them; it
 * resolves when all connections are closed
 */
export function prepareShutdown(server: Server): (graceMs: number) => Promise<void> {
	const cutOff = holdConnections(server);
	// The callback of tryShutdown isn't used: the library doesn't call it if a session is destroyed and not closed yet,
	// as after a keepalive that a client whose network is gone didn't answer.
	const closed = Promise.all(
		http2ServersOf(server).map((http2Server) => new Promise<void>((resolve) => http2Server.once("close", resolve))),
	);
	return async (graceMs) => {
		const timer = setTimeout(() => {
			server.forceShutdown();
			cutOff();
		}, graceMs);
		server.tryShutdown(() => {});
		await closed;
		clearTimeout(timer);
	};
}
