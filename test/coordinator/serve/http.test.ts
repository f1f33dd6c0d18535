import { once } from "node:events";
import { connect, type Socket } from "node:net";
import test, { type ExecutionContext } from "ava";
import { listenHttp } from "../../../coordinator/http/listen-http.ts";
import { httpApp } from "../../../coordinator/serve/http.ts";
import { InFlightCalls } from "../../../coordinator/serve/in-flight-calls.ts";
import { createLog } from "../../../coordinator/serve/log.ts";
import { ServeMetrics } from "../../../coordinator/serve/metrics.ts";
import { ModelHost } from "../../../coordinator/serve/model-host.ts";
import { realClock } from "../../../shared/clock.ts";
import { CALL_LIMITS, MAX_MESSAGE_BYTES } from "../../../shared/rpc/config.ts";

const TOKEN = "authorization: Bearer token\r\n";

/** Starts the HTTP server of `serve` with a token and without a model. Returns a function that connects to it. */
async function start(t: ExecutionContext, limits: Partial<typeof CALL_LIMITS> = {}) {
	const log = createLog("silent");
	const open = () => Promise.reject(new Error("no model here"));
	const host = new ModelHost({ run: "/nowhere", open, clock: realClock, log, onModel: () => {} });
	const metrics = new ServeMetrics(() => host.models);
	const tokens = [{ token: "token", may: () => true }];
	const service = { host, calls: new InFlightCalls(metrics, log), log, logTexts: false };
	const app = httpApp({ ...service, metrics, tokens, cors: undefined, isServing: () => true, onlyLoopback: false });
	const server = await listenHttp(app, { address: "127.0.0.1:0", flag: "--http" }, undefined, true, {
		...CALL_LIMITS,
		...limits,
	});
	t.teardown(() => server.close());
	const [name = "", port = ""] = server.address.split(":");
	return () => {
		const socket = connect(Number(port), name).on("error", () => {});
		t.teardown(() => socket.destroy());
		return socket;
	};
}

/** Sends the headers of a request without its body. */
function beginPost(socket: Socket, headers: string): void {
	socket.write(`POST /v1/classify HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${headers}\r\n`);
}

/** Returns the HTTP status of the next answer on a connection. */
async function statusOf(socket: Socket): Promise<number> {
	const [bytes] = (await once(socket, "data")) as [Buffer];
	return Number(/^HTTP\/1\.1 (\d+)/.exec(bytes.toString("latin1"))?.[1]);
}

test("without a token a request is refused before its body has arrived", async (t) => {
	const connectTo = await start(t);
	for (const headers of [`content-length: ${MAX_MESSAGE_BYTES}\r\n`, "transfer-encoding: chunked\r\n"]) {
		const socket = connectTo();
		beginPost(socket, headers);
		t.is(await statusOf(socket), 401);
	}
});

test("bodies announced by all open requests take 256 MiB at most, which ended requests free", async (t) => {
	const connectTo = await start(t);
	const begin = () => {
		const socket = connectTo();
		beginPost(socket, `${TOKEN}content-length: ${MAX_MESSAGE_BYTES}\r\n`);
		return socket;
	};
	const sockets = Array.from({ length: CALL_LIMITS.heldBytes / MAX_MESSAGE_BYTES + 1 }, begin);
	const refused = await Promise.race(sockets.map(async (socket) => [socket, await statusOf(socket)] as const));
	t.is(refused[1], 429);
	const another = begin();
	t.is(await statusOf(another), 429);
	const whole = sockets.find((socket) => socket !== refused[0]) as Socket;
	whole.write(Buffer.alloc(MAX_MESSAGE_BYTES, " "));
	t.is(await statusOf(whole), 400);
	const next = begin();
	next.write(Buffer.alloc(MAX_MESSAGE_BYTES, " "));
	t.is(await statusOf(next), 400);
});

test("a request that stays half-open is ended", async (t) => {
	const connectTo = await start(t, { messageMs: 50 });
	const [noHeaders, noBody] = [connectTo(), connectTo()];
	noHeaders.write("POST /v1/classify HTTP/1.1\r\n");
	beginPost(noBody, `${TOKEN}content-length: 10\r\n`);
	t.deepEqual(await Promise.all([noHeaders, noBody].map(statusOf)), [408, 408]);
});

test("headers and connections have a limit", async (t) => {
	const connectTo = await start(t, { connections: 1 });
	const socket = connectTo();
	beginPost(socket, `${TOKEN}x-long: ${"x".repeat(CALL_LIMITS.headerBytes)}\r\n`);
	t.is(await statusOf(socket), 431);
	const second = await start(t, { connections: 1 });
	await once(second(), "connect");
	await once(second(), "close");
});

test("an unknown path is cut in the answer", async (t) => {
	const connectTo = await start(t);
	const socket = connectTo();
	socket.write(`GET /${"x".repeat(10_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
	const [bytes] = (await once(socket, "data")) as [Buffer];
	t.true(bytes.length < 1000);
	t.regex(bytes.toString(), /^HTTP\/1\.1 404 /);
});
