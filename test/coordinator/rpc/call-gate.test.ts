import { once } from "node:events";
import { constants } from "node:http2";
import { connect as connectTcp } from "node:net";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { status as Status } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { duplexStream, unary } from "../../../coordinator/rpc/handlers.ts";
import { createServer } from "../../../coordinator/rpc/server.ts";
import { createHealth } from "../../../coordinator/serve/health.ts";
import { classifierDefinition } from "../../../coordinator/serve/service.ts";
import type { ClassifyStreamRequest } from "../../../proto/gen/tailtune/v1/ClassifyStreamRequest.ts";
import { CALL_LIMITS, type CallLimits, MAX_MESSAGE_BYTES } from "../../../shared/rpc/config.ts";
import { framed, rawCall, rawConnection } from "./raw-call.ts";

const CLASSIFY = "/tailtune.v1.Classifier/Classify";
const STREAM = "/tailtune.v1.Classifier/ClassifyStream";
const CHECK = "/grpc.health.v1.Health/Check";
const WATCH = "/grpc.health.v1.Health/Watch";
const TOKEN = { authorization: "Bearer token" };

/** Starts a server with a token, a service with empty answers, and the health service. */
async function start(t: ExecutionContext, limits: Partial<CallLimits> = {}) {
	const onRefused = () => {};
	async function* echo(requests: AsyncIterable<ClassifyStreamRequest>) {
		for await (const _ of requests) yield {};
	}
	const handlers = { Classify: unary(onRefused, async () => ({})), ClassifyStream: duplexStream(onRefused, echo) };
	const health = createHealth();
	const server = await createServer({ token: "token", limits }, [
		{ definition: classifierDefinition, handlers },
		health.service,
	]);
	t.teardown(() => server.close());
	return Object.assign(rawConnection(t, server.address), { server, health });
}

/** Encodes a request for the health of a service. */
function healthRequest(service: string): Buffer {
	const name = Buffer.from(service);
	return framed(Buffer.concat([Buffer.of(0x0a, 0x80 | (name.length & 0x7f), name.length >> 7), name]));
}

function collectGarbage(): void {
	setFlagsFromString("--expose-gc");
	runInNewContext("gc")();
}

function usedBytes(): number {
	const { heapUsed, arrayBuffers } = process.memoryUsage();
	return heapUsed + arrayBuffers;
}

test("a call without a token is refused after its headers, before its body arrives", async (t) => {
	const session = await start(t);
	for (const path of [CLASSIFY, STREAM]) {
		const { stream, ended } = rawCall(session, path);
		stream.write(framed(Buffer.alloc(1000), MAX_MESSAGE_BYTES));
		t.deepEqual(await ended, { status: Status.UNAUTHENTICATED, text: `${path}: no bearer token` });
		const wrong = rawCall(session, path, { authorization: "Bearer other" });
		t.is((await wrong.ended).status, Status.UNAUTHENTICATED);
	}
	t.deepEqual({ ...session.server.load }, { calls: 0, heldBytes: 0 });
});

test("400 half-open messages of 4 MB without a token keep no bytes", async (t) => {
	const session = await start(t);
	const calls = Array.from({ length: 400 }, (_, i) => {
		const call = rawCall(session, [CHECK, WATCH, CLASSIFY, STREAM][i % 4] as string);
		call.stream.write(framed(Buffer.alloc(100_000), MAX_MESSAGE_BYTES));
		return call.ended;
	});
	const statuses = new Set((await Promise.all(calls)).map(({ status }) => status));
	t.deepEqual(statuses, new Set([Status.INVALID_ARGUMENT, Status.UNAUTHENTICATED]));
	t.deepEqual({ ...session.server.load }, { calls: 0, heldBytes: 0 });
});

test.serial("2,000 unknown service names are answered, and none is kept in memory", async (t) => {
	const session = await start(t);
	const watch = async (name: string) => {
		const { stream, ended } = rawCall(session, WATCH);
		stream.end(healthRequest(name));
		return (await ended).status;
	};
	const askAll = async (count: number) => {
		const statuses = new Set<number | undefined>();
		for (let done = 0; done < count; done += 100) {
			const names = Array.from({ length: 100 }, (_, i) => `${done + i} ${"x".repeat(3900)}`);
			for (const status of await Promise.all(names.map(watch))) statuses.add(status);
		}
		return statuses;
	};
	t.deepEqual(await askAll(200), new Set([Status.OK]));
	collectGarbage();
	const before = usedBytes();
	t.deepEqual(await askAll(2000), new Set([Status.OK]));
	// All names together are 7.8 MB. The connection's buffers are freed some time after the last call.
	let more = Number.POSITIVE_INFINITY;
	for (let tries = 0; tries < 200 && more > 3e6; tries++) {
		await setImmediate();
		collectGarbage();
		more = usedBytes() - before;
	}
	t.true(more < 3e6, `${more} bytes more`);
	const { stream, ended } = rawCall(session, CHECK);
	stream.end(healthRequest("unknown"));
	t.is((await ended).status, Status.NOT_FOUND);
});

test("each change of the server's health is sent to watching clients", async (t) => {
	const session = await start(t);
	const { stream } = rawCall(session, WATCH);
	const statuses: number[] = [];
	stream.on("data", (bytes: Buffer) => {
		statuses.push(bytes.at(-1) ?? 0);
		stream.emit("status");
	});
	stream.end(healthRequest("tailtune.v1.Classifier"));
	await once(stream, "status");
	session.health.setServing(true);
	await once(stream, "status");
	session.health.setServing(false);
	await once(stream, "status");
	t.deepEqual(statuses, [2, 1, 2]); // HealthCheckResponse.ServingStatus: NOT_SERVING, SERVING
});

test("a half-open request is ended after a time limit; an idle stream between two messages is not", async (t) => {
	const session = await start(t, { messageMs: 50 });
	const idle = rawCall(session, STREAM, TOKEN);
	idle.stream.write(framed(Buffer.alloc(0)));
	await once(idle.stream, "data");
	const noBody = rawCall(session, CLASSIFY, TOKEN);
	const noEnd = rawCall(session, CLASSIFY, TOKEN);
	noEnd.stream.write(framed(Buffer.alloc(0)));
	const half = rawCall(session, CHECK);
	half.stream.write(framed(Buffer.alloc(10), 20));
	for (const { ended } of [noBody, noEnd, half]) t.is((await ended).status, Status.DEADLINE_EXCEEDED);
	const halfOfStream = rawCall(session, STREAM, TOKEN);
	halfOfStream.stream.write(framed(Buffer.alloc(10), 20));
	t.is((await halfOfStream.ended).status, Status.DEADLINE_EXCEEDED);
	t.false(idle.stream.closed);
	t.is(session.server.load.calls, 1);
	idle.stream.write(framed(Buffer.alloc(0)));
	await once(idle.stream, "data");
});

test("request bytes held by all calls together are limited, and freed afterwards", async (t) => {
	const session = await start(t, { heldBytes: 1_000_000 });
	const begin = () => {
		const call = rawCall(session, STREAM, TOKEN);
		call.stream.write(framed(Buffer.alloc(600_000), 700_000));
		return call;
	};
	const [first, second] = [begin(), begin()];
	const refused = await Promise.race([first.ended, second.ended]);
	t.is(refused.status, Status.RESOURCE_EXHAUSTED);
	const left = first.stream.closed ? second : first;
	left.stream.write(Buffer.alloc(100_000));
	await once(left.stream, "data");
	t.is(session.server.load.heldBytes, 0, "a message of a stream that is complete is not kept");
	t.false(left.stream.closed);
});

test("calls per connection, per server and without a token are limited", async (t) => {
	const session = await start(t, { streams: 5, calls: 3, openCalls: 2 });
	const watches = [rawCall(session, WATCH), rawCall(session, WATCH)];
	for (const { stream } of watches) {
		stream.end(healthRequest(""));
		await once(stream, "data");
	}
	t.is(session.remoteSettings.maxConcurrentStreams, 5);
	const third = await rawCall(session, CHECK).ended;
	t.deepEqual(third, {
		status: Status.RESOURCE_EXHAUSTED,
		text: `${CHECK}: too many unfinished calls; try again later`,
	});
	const known = rawCall(session, STREAM, TOKEN);
	known.stream.write(framed(Buffer.alloc(0)));
	await once(known.stream, "data");
	t.is((await rawCall(session, STREAM, TOKEN).ended).status, Status.RESOURCE_EXHAUSTED);
	watches[0]?.stream.close(constants.NGHTTP2_CANCEL);
	await watches[0]?.ended;
	const late = rawCall(session, CHECK);
	late.stream.end(healthRequest(""));
	t.is((await late.ended).status, Status.OK);
});

test("connections beyond the limit are closed at once", async (t) => {
	const session = await start(t, { connections: 2 });
	await once(session, "remoteSettings");
	const [host = "", port = ""] = session.server.address.split(":");
	const connect = () => {
		const socket = connectTcp(Number(port), host);
		t.teardown(() => socket.destroy());
		return socket.on("error", () => {});
	};
	await once(connect(), "data"); // the server's settings
	const [third] = await once(connect(), "close");
	t.is(third, false);
});

test("unknown names are cut in answers, headers are limited, and services without a token refuse compressed requests", async (t) => {
	const session = await start(t);
	const unknown = await rawCall(session, `/${"ä".repeat(3000)}`, TOKEN).ended;
	t.is(unknown.status, Status.UNIMPLEMENTED);
	t.is(unknown.text.length, 500);
	const long = rawCall(session, CLASSIFY, { ...TOKEN, "x-long": "x".repeat(CALL_LIMITS.headerBytes) });
	t.not((await long.ended).status, Status.OK);
	t.is((await rawCall(session, CHECK, { "grpc-encoding": "gzip" }).ended).status, Status.INVALID_ARGUMENT);
	t.is(session.server.load.calls, 0);
});
