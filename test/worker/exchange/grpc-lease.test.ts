import { fork } from "node:child_process";
import { getEventListeners, once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import test from "ava";
import { serveTensors } from "../../../coordinator/exchange/grpc-coordinator-tensors.ts";
import { Leases } from "../../../coordinator/exchange/grpc-leases.ts";
import type { PutAnswerRequestInput } from "../../../proto/gen/tailtune/v1/PutAnswerRequest.ts";
import type { PutAnswerResponse } from "../../../proto/gen/tailtune/v1/PutAnswerResponse.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { ExchangeClientConstructor } from "../../../shared/exchange/tensor-service.ts";
import { toAnswerMessages } from "../../../worker/exchange/answer-stream.ts";
import { createClient } from "../../../worker/exchange/client.ts";
import { connectTensors } from "../../../worker/exchange/grpc-worker-tensors.ts";
import { readAll } from "../../../worker/exchange/read.ts";
import { sendAll } from "../../../worker/exchange/send.ts";
import { someResult } from "../../shared/bus/messages.ts";
import { someSchema } from "../../shared/exchange/conformance.ts";
import { ReceivedAnswers } from "../../shared/exchange/received-answers.ts";
import { makeCertificates } from "../../shared/rpc/certificates.ts";

/** Starts a server that reports lost workers; `firstLost` resolves with the first one. */
async function openServer(listen?: string) {
	const lost: string[] = [];
	let tell = () => {};
	const onWorkerLost = (workerId: string) => {
		lost.push(workerId);
		tell();
	};
	const server = await serveTensors({ listen, onWorkerLost });
	const firstLost = () =>
		new Promise<void>((resolve) => {
			tell = resolve;
			if (lost.length) tell();
		});
	return { server, lost, firstLost };
}

test("a worker is attached after connecting, and lost after closing", async (t) => {
	const { server, lost, firstLost } = await openServer();
	t.teardown(server.close);
	const stays = await connectTensors(server.address, { workerId: "stays" });
	const leaves = await connectTensors(server.address, { workerId: "leaves" });
	t.teardown(() => stays.close());
	t.deepEqual(server.workers, ["stays", "leaves"]);
	await leaves.close();
	await firstLost();
	t.deepEqual(lost, ["leaves"]);
	t.deepEqual(server.workers, ["stays"]);
});

test("a connection leaves no listener at its signal after it was closed or refused", async (t) => {
	const server = await serveTensors({ token: "right" });
	t.teardown(server.close);
	const { signal } = new AbortController();
	const options = { workerId: "a", signal };
	await t.throwsAsync(connectTensors(server.address, { ...options, token: "wrong" }), { code: "denied" });
	const tensors = await connectTensors(server.address, { ...options, token: "right" });
	await tensors.close();
	t.deepEqual(getEventListeners(signal, "abort"), []);
});

test("connecting to a silent coordinator fails after a time limit, or when the signal aborts", async (t) => {
	const closings: Promise<unknown>[] = [];
	const sockets: Socket[] = [];
	const hole = createServer((socket) => {
		sockets.push(socket);
		closings.push(once(socket.on("error", () => {}).resume(), "close"));
	});
	hole.listen(0, "127.0.0.1");
	await once(hole, "listening");
	t.teardown(() => {
		hole.close();
		for (const socket of sockets) socket.destroy();
	});
	const address = `127.0.0.1:${(hole.address() as AddressInfo).port}`;
	const silent = { code: "offline", message: /nothing was heard/ };
	await t.throwsAsync(connectTensors(address, { workerId: "waits", silenceMs: 100 }), silent);
	const ended = new AbortController();
	const waiting = connectTensors(address, { workerId: "is stopped", signal: ended.signal });
	await once(hole, "connection");
	ended.abort(new TailtuneError("interrupted", "the run is over"));
	await t.throwsAsync(waiting, { code: "interrupted" });
	// With TLS it is silent before HTTP/2 begins.
	const { caFile } = await makeCertificates(t);
	await t.throwsAsync(connectTensors(address, { workerId: "has TLS", silenceMs: 100, tls: { caFile } }), silent);
	await Promise.all(closings);
	t.is(closings.length, 3, "no connection is left");
});

test("a silent stream of messages is given up; one that is held open is not", async (t) => {
	const { server } = await openServer();
	const client = await createClient(ExchangeClientConstructor, server.address);
	t.teardown(async () => {
		client.close();
		await server.close();
	});
	const open = (isHeldOpen: boolean) =>
		readAll(client.attach({ protocolVersion: 1, workerId: `${isHeldOpen}` }), { silenceMs: 2000, isHeldOpen });
	const [held, stopped] = [open(true), open(false)];
	await Promise.all([held.next(), stopped.next()]);
	const next = held.next();
	await t.throwsAsync(stopped.next(), { code: "offline", message: /nothing was heard/ });
	while (server.workers.length > 1) await new Promise(setImmediate);
	t.deepEqual(server.workers, ["true"]);
	await server.close();
	await next.catch(() => {});
});

test("an answer whose messages can't be made leaves no open upload", async (t) => {
	const { server } = await openServer();
	t.teardown(server.close);
	const schema = someSchema(600_000);
	server.openRun("run", schema, new ReceivedAnswers(schema.parameters));
	const client = await createClient(ExchangeClientConstructor, server.address);
	t.teardown(() => client.close());
	const answer = { result: someResult(), logits: [], tensor: new Float32Array(schema.parameters) };
	function* messages() {
		for (const message of toAnswerMessages(answer, schema.hash)) if (!message.end) yield message;
		throw new TailtuneError("engine", "no more numbers");
	}
	const options = { signal: new AbortController().signal, silenceMs: 10_000 };
	const sent = sendAll<PutAnswerRequestInput, PutAnswerResponse>((done) => client.putAnswer(done), messages(), options);
	await t.throwsAsync(sent, { code: "engine" });
	while (server.uploadsUnderWay > 0) await new Promise(setImmediate);
	t.deepEqual(server.held("run"), { states: 0, updates: 0, free: 1 });
});

test("a worker killed during an upload is lost, and its upload is removed", async (t) => {
	const { server, lost, firstLost } = await openServer();
	t.teardown(server.close);
	server.openRun("run", someSchema(3), new ReceivedAnswers(3));
	await server.publishState("run", 3, { parameters: new Float32Array(3) });
	const script = fileURLToPath(new URL("killed-worker.ts", import.meta.url));
	const child = fork(script, [server.address], { execArgv: ["--import=./test/load-typescript.mjs"] });
	await once(child, "message");
	while (server.uploadsUnderWay === 0) await new Promise(setImmediate);
	t.deepEqual(server.workers, ["doomed"]);
	child.kill("SIGKILL");
	await firstLost();
	while (server.uploadsUnderWay > 0) await new Promise(setImmediate);
	t.deepEqual(lost, ["doomed"]);
	t.deepEqual(server.workers, []);
	t.deepEqual(server.held("run"), { states: 1, updates: 0, free: 1 });
	t.is(server.refusals.size, 0);
});

test("a worker attaches again to a restarted coordinator, and works for it", async (t) => {
	const first = await openServer();
	const worker = await connectTensors(first.server.address, { workerId: "faithful" });
	t.teardown(() => worker.close());
	await first.server.close();
	t.deepEqual(first.lost, [], "a coordinator that stops loses nobody");
	const second = await openServer(first.server.address);
	t.teardown(second.server.close);
	second.server.openRun("run", someSchema(1), new ReceivedAnswers(1));
	worker.openRun("run", someSchema(1));
	await second.server.publishState("run", 0, { parameters: Float32Array.of(5) });
	while (second.server.workers.length === 0) await new Promise(setImmediate);
	t.deepEqual(second.server.workers, ["faithful"]);
	t.deepEqual(await worker.parameters("run", 0), Float32Array.of(5));
});

test("a worker that attaches again before its old stream breaks isn't lost with the old stream", async (t) => {
	const lost: string[] = [];
	const leases = new Leases({ onWorkerLost: (workerId) => lost.push(workerId) });
	const request = { protocolVersion: 1, workerId: "back" };
	const [old, young] = [new AbortController(), new AbortController()];
	const oldLease = leases.attach(request, old.signal);
	await oldLease.next();
	const youngLease = leases.attach(request, young.signal);
	await youngLease.next();
	old.abort();
	await oldLease.next();
	t.deepEqual(leases.workers, ["back"]);
	young.abort();
	await youngLease.next();
	t.deepEqual(lost, ["back"]);
});

test("a worker without an id or with another protocol version is refused", async (t) => {
	const leases = new Leases({ onWorkerLost: () => t.fail() });
	const { signal } = new AbortController();
	await t.throwsAsync(leases.attach({ protocolVersion: 1, workerId: "" }, signal).next(), { message: /worker id/ });
	await t.throwsAsync(leases.attach({ protocolVersion: 9, workerId: "w" }, signal).next(), { message: /version 9/ });
	t.deepEqual(leases.workers, []);
});

test("connecting to an address without a server fails as offline, naming the address", async (t) => {
	const { server } = await openServer();
	await server.close();
	const message = new RegExp(server.address);
	await t.throwsAsync(connectTensors(server.address, { workerId: "alone" }), { code: "offline", message });
});
