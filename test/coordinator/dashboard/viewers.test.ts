import { once } from "node:events";
import { createServer, get, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import test, { type ExecutionContext } from "ava";
import { Viewers } from "../../../coordinator/dashboard/viewers.ts";

/** Returns the response to a client that doesn't read it. */
async function openResponse(t: ExecutionContext): Promise<ServerResponse> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const request = get({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" }, (answer) => answer.pause());
	request.on("error", () => {});
	t.teardown(() => {
		request.destroy();
		server.close();
	});
	const [, response] = (await once(server, "request")) as [unknown, ServerResponse];
	return response;
}

test("a page that was closed before its state was read isn't a viewer", async (t) => {
	const viewers = new Viewers();
	const response = await openResponse(t);
	response.destroy();
	await once(response, "close");
	viewers.add(response);
	t.is(viewers.count, 0);
	await viewers.end();
});

test("a viewer that doesn't read is disconnected at the end", async (t) => {
	const viewers = new Viewers();
	const response = await openResponse(t);
	viewers.add(response);
	response.write(Buffer.alloc(64 << 20));
	await viewers.end();
	t.true(response.destroyed);
	t.is(viewers.count, 0);
});
