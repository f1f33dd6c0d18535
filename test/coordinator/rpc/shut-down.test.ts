import { once } from "node:events";
import http2, { type Http2Server, type ServerHttp2Session } from "node:http2";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import test from "ava";
import { http2ServersOf } from "../../../coordinator/rpc/http2-servers.ts";
import { prepareShutdown } from "../../../coordinator/rpc/shut-down.ts";

test("a server shuts down although a session is destroyed and its connection is still open", async (t) => {
	const server = new Server();
	const port = await new Promise((resolve, reject) => {
		server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
			error ? reject(error) : resolve(bound),
		);
	});
	const shutDown = prepareShutdown(server);
	const [http2Server] = http2ServersOf(server) as [Http2Server];
	const client = http2.connect(`http://127.0.0.1:${port}`);
	client.on("error", () => {});
	t.teardown(() => client.destroy());
	const [session] = (await once(http2Server, "session")) as [ServerHttp2Session];
	// As the library does it when a client doesn't answer a keepalive.
	session.destroy();
	t.false(session.closed);
	await shutDown(0);
	await t.notThrowsAsync(shutDown(0), "a second time");
});
