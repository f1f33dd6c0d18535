import { once } from "node:events";
import http2 from "node:http2";
import test from "ava";
import { createServer } from "../../../coordinator/rpc/server.ts";
import { WINDOW_BYTES } from "../../../shared/rpc/config.ts";

test("a server's flow-control windows are several MiB, for a stream and for a connection", async (t) => {
	const server = await createServer({}, []);
	const session = http2.connect(`http://${server.address}`);
	t.teardown(async () => {
		session.destroy();
		await server.close();
	});
	while (session.remoteSettings.initialWindowSize !== WINDOW_BYTES) await once(session, "remoteSettings");
	while (session.state.remoteWindowSize !== WINDOW_BYTES) await new Promise(setImmediate);
	t.pass();
});
