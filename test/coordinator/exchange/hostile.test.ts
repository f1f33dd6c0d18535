import { once } from "node:events";
import { status } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { serveTensors, type TensorServiceOptions } from "../../../coordinator/exchange/grpc-coordinator-tensors.ts";
import { MAX_UPLOADS } from "../../../coordinator/exchange/grpc-uploads.ts";
import { createMemoryTensors } from "../../../coordinator/exchange/memory-tensors.ts";
import type { PutGradientRequestInput } from "../../../proto/gen/tailtune/v1/PutGradientRequest.ts";
import { type TensorsClient, TensorsClientConstructor } from "../../../shared/exchange/tensor-service.ts";
import { itemKey } from "../../../shared/messages.ts";
import { REFUSALS, type Refusal, type RefusalReason } from "../../../shared/rpc/refusal.ts";
import { createClient } from "../../../worker/exchange/client.ts";
import { readAll } from "../../../worker/exchange/read.ts";
import { someItem, someSchema } from "../../shared/exchange/conformance.ts";
import { someChunk, someEnd, someHeader, upload } from "./raw-uploads.ts";

/** A server with version 3 of run "run", of 3 parameters, and a client that says what it wants. */
async function openRaw(t: ExecutionContext, options: TensorServiceOptions = {}) {
	const exchange = createMemoryTensors();
	const server = await serveTensors({ exchange, ...options });
	const client = await createClient(TensorsClientConstructor, server.address);
	t.teardown(async () => {
		client.close();
		await server.close();
	});
	server.openRun("run", someSchema(3));
	await server.publishParameters("run", 3, Float32Array.of(1, 2, 3));
	return { exchange, server, client };
}

const right = [someHeader(3), someChunk(0, [1, 2, 3]), someEnd([1, 2, 3])];
const changed = { chunk: { ...someChunk(0, [1, 2, 3]).chunk, data: Buffer.from(Float32Array.of(1, 2, 4).buffer) } };
const empty: PutGradientRequestInput = { chunk: { byteOffset: 0, data: Buffer.alloc(0) } };
const odd: PutGradientRequestInput = { chunk: { byteOffset: 0, data: Buffer.alloc(7) } };

const uploads: [title: string, reason: RefusalReason, messages: PutGradientRequestInput[]][] = [
	["nothing at all", "REFUSAL_ORDER", []],
	["no header", "REFUSAL_ORDER", right.slice(1)],
	["a message with nothing in it", "REFUSAL_ORDER", [someHeader(3), {}]],
	["a second header", "REFUSAL_ORDER", [someHeader(3), ...right]],
	["another protocol version", "REFUSAL_PROTOCOL_VERSION", [someHeader(3, { protocolVersion: 2 }), ...right.slice(1)]],
	["an unknown run", "REFUSAL_UNKNOWN_RUN", [someHeader(3, { runId: "__proto__" }), ...right.slice(1)]],
	["another schema", "REFUSAL_SCHEMA", [someHeader(3, { schemaHash: "0" }), ...right.slice(1)]],
	["a stale version", "REFUSAL_STALE_VERSION", [someHeader(3, { parameterVersion: 2 }), ...right.slice(1)]],
	["a kind without gradients", "REFUSAL_MALFORMED", [someHeader(3, { kind: "WORK_KIND_PREPARE" }), ...right.slice(1)]],
	["another length announced", "REFUSAL_LENGTH", [someHeader(3, { byteLength: 2 ** 40 }), ...right.slice(1)]],
	["too many numbers", "REFUSAL_LENGTH", [someHeader(3), someChunk(0, [1, 2, 3, 4]), someEnd([1, 2, 3, 4])]],
	["too few numbers", "REFUSAL_LENGTH", [someHeader(3), someChunk(0, [1, 2]), someEnd([1, 2])]],
	["no end", "REFUSAL_LENGTH", right.slice(0, 2)],
	[
		"chunks out of order",
		"REFUSAL_ORDER",
		[someHeader(3), someChunk(4, [2, 3]), someChunk(0, [1]), someEnd([1, 2, 3])],
	],
	["a chunk twice", "REFUSAL_ORDER", [someHeader(3), someChunk(0, [1]), someChunk(0, [1, 2, 3]), someEnd([1, 2, 3])]],
	["an empty chunk", "REFUSAL_MALFORMED", [someHeader(3), empty]],
	["a chunk cut within a number", "REFUSAL_MALFORMED", [someHeader(3), odd]],
	["a chunk that isn't as it was sent", "REFUSAL_CHECKSUM", [someHeader(3), changed, someEnd([1, 2, 3])]],
	["a message behind the end", "REFUSAL_ORDER", [...right, someChunk(12, [4])]],
	["NaN", "REFUSAL_NOT_FINITE", [someHeader(3), someChunk(0, [1, Number.NaN, 3]), someEnd([1, Number.NaN, 3])]],
	["infinity", "REFUSAL_NOT_FINITE", [someHeader(3), someChunk(0, [-Infinity, 2, 3]), someEnd([-Infinity, 2, 3])]],
];

for (const [title, reason, messages] of uploads) {
	test(`an upload with ${title} is refused with ${reason}, counted, and leaves nothing`, async (t) => {
		const { exchange, server, client } = await openRaw(t);
		const error = await t.throwsAsync<Refusal>(upload(client, messages), { code: REFUSALS[reason].code });
		t.is(error.reason, reason);
		t.is((error.cause as { code: number }).code, REFUSALS[reason].status);
		t.notRegex(error.message, /\n/);
		t.deepEqual([...server.refusals], [[reason, 1]]);
		t.is(exchange.held("run").gradients, 0);
		t.is(server.uploadsUnderWay, 0);
		t.is(await server.takeGradient("run", itemKey(someItem)), undefined);
		t.deepEqual(await upload(client, right), { duplicate: false });
		t.deepEqual(await server.takeGradient("run", itemKey(someItem)), Float32Array.of(1, 2, 3));
	});
}

test("a second upload for an item is taken and ignored, also when the first was taken out", async (t) => {
	const { exchange, server, client } = await openRaw(t);
	await upload(client, right);
	const second = [someHeader(3), someChunk(0, [7, 7, 7]), someEnd([7, 7, 7])];
	t.deepEqual(await upload(client, second), { duplicate: true });
	t.deepEqual(await server.takeGradient("run", itemKey(someItem)), Float32Array.of(1, 2, 3));
	t.deepEqual(await upload(client, second), { duplicate: true });
	t.is(exchange.held("run").gradients, 0);
	t.is(server.refusals.size, 0);
});

test("of two uploads at the same time for an item the one that is whole first counts", async (t) => {
	const { exchange, server, client } = await openRaw(t);
	const slow = new Promise<{ duplicate: boolean } | undefined>((resolve, reject) => {
		const call = client.putGradient((error, response) => (error ? reject(error) : resolve(response)));
		call.write(someHeader(3));
		call.write(someChunk(0, [7]), async () => {
			while (server.uploadsUnderWay === 0) await nextTurn();
			await upload(client, [someHeader(3, { workerId: "another" }), ...right.slice(1)]);
			call.write(someChunk(4, [7, 7]));
			call.write(someEnd([7, 7, 7]));
			call.end();
		});
	});
	t.deepEqual(await slow, { duplicate: true });
	t.deepEqual(await server.takeGradient("run", itemKey(someItem)), Float32Array.of(1, 2, 3));
	t.is(exchange.held("run").gradients, 0);
});

test("an upload that falls silent is ended, and so is one whose worker sends nothing at all", async (t) => {
	const { exchange, server, client } = await openRaw(t, { silenceMs: 100 });
	for (const messages of [[], [someHeader(3), someChunk(0, [1])]]) {
		const ended = new Promise((resolve) => {
			const call = client.putGradient((error) => resolve(error));
			for (const message of messages) call.write(message);
		});
		t.like(await ended, { code: status.UNAVAILABLE });
		t.is(server.uploadsUnderWay, 0);
	}
	t.deepEqual(exchange.held("run"), { parameters: 1, gradients: 0, free: 1 });
});

test("a worker that uploads an item again ends its upload before", async (t) => {
	const { exchange, server, client } = await openRaw(t);
	const ended = new Promise((resolve) => {
		const call = client.putGradient((error) => resolve(error));
		call.write(someHeader(3));
		call.write(someChunk(0, [7]));
	});
	while (server.uploadsUnderWay === 0) await nextTurn();
	t.deepEqual(await upload(client, right), { duplicate: false });
	t.like(await ended, { code: REFUSALS.REFUSAL_TOO_MANY.status });
	t.is(server.uploadsUnderWay, 0);
	t.deepEqual(await server.takeGradient("run", itemKey(someItem)), Float32Array.of(1, 2, 3));
	t.is(exchange.held("run").gradients, 0);
});

test("an upload that nobody waits for is refused", async (t) => {
	const { server, client } = await openRaw(t, { isExpected: (runId, key) => runId === "run" && key.endsWith("/7") });
	await t.throwsAsync(upload(client, right), { message: /nobody waits.*GRADIENT\/3\/1/ });
	t.deepEqual([...server.refusals], [["REFUSAL_NOT_EXPECTED", 1]]);
	t.deepEqual(await upload(client, [someHeader(3, { part: 7 }), ...right.slice(1)]), { duplicate: false });
});

test("an upload under way is refused as stale the moment its version is dropped", async (t) => {
	const { server, client } = await openRaw(t);
	const refused = new Promise((resolve) => {
		const call = client.putGradient((error) => resolve(error));
		call.write(someHeader(3));
		call.write(someChunk(0, [1]));
	});
	while (server.uploadsUnderWay === 0) await nextTurn();
	await server.dropParameters("run", 3);
	t.like(await refused, { code: REFUSALS.REFUSAL_STALE_VERSION.status });
	t.is(server.uploadsUnderWay, 0);
	t.deepEqual([...server.refusals], [["REFUSAL_STALE_VERSION", 1]]);
});

test("a client cut off in mid-upload leaves nothing, and isn't counted as refused", async (t) => {
	const { exchange, server, client } = await openRaw(t);
	const call = client.putGradient(() => {});
	call.write(someHeader(3));
	call.write(someChunk(0, [1]));
	while (server.uploadsUnderWay === 0) await nextTurn();
	call.cancel();
	while (server.uploadsUnderWay > 0) await nextTurn();
	t.deepEqual(exchange.held("run"), { parameters: 1, gradients: 0, free: 1 });
	t.is(server.refusals.size, 0);
});

test("no more than so many uploads are under way at the same time", async (t) => {
	const { server, client } = await openRaw(t);
	const calls = Array.from({ length: MAX_UPLOADS }, (_, part) => {
		const call = client.putGradient(() => {});
		call.write(someHeader(3, { part: part + 10 }));
		return call;
	});
	while (server.uploadsUnderWay < MAX_UPLOADS) await nextTurn();
	await t.throwsAsync(upload(client, right), { code: "busy", message: /64 uploads/ });
	for (const call of calls) call.cancel();
	while (server.uploadsUnderWay > 0) await nextTurn();
	t.deepEqual(await upload(client, right), { duplicate: false });
});

test("bytes that are no message and messages beyond 4 MiB are refused, and the server goes on", async (t) => {
	const { server, client } = await openRaw(t);
	const send = (bytes: Buffer) =>
		new Promise<{ code: number } | null>((resolve) => {
			const call = client.makeClientStreamRequest(
				"/tailtune.v1.Tensors/PutGradient",
				(raw: Buffer) => raw,
				(raw: Buffer) => raw,
				(error) => resolve(error),
			);
			call.write(bytes);
			call.end();
		});
	t.like(await send(Buffer.alloc(64, 0xff)), { code: REFUSALS.REFUSAL_MALFORMED.status });
	t.deepEqual([...server.refusals], [["REFUSAL_MALFORMED", 1]]);
	t.like(await send(Buffer.alloc(5 << 20)), { code: 8 });
	t.deepEqual(await upload(client, right), { duplicate: false });
});

const reads: [title: string, reason: RefusalReason, changes: object][] = [
	["another protocol version", "REFUSAL_PROTOCOL_VERSION", { protocolVersion: 0 }],
	["an unknown run", "REFUSAL_UNKNOWN_RUN", { runId: "" }],
	["another schema", "REFUSAL_SCHEMA", { schemaHash: someSchema(4).hash }],
	["a stale version", "REFUSAL_STALE_VERSION", { parameterVersion: 4 }],
];

for (const [title, reason, changes] of reads) {
	test(`reading parameters with ${title} is refused with ${reason}`, async (t) => {
		const { server, client } = await openRaw(t);
		const request = {
			protocolVersion: 1,
			runId: "run",
			parameterVersion: 3,
			schemaHash: someSchema(3).hash,
			...changes,
		};
		const error = await t.throwsAsync<Refusal>(readAll(client.getParameters(request)).next());
		t.is(error.reason, reason);
		t.deepEqual([...server.refusals], [[reason, 1]]);
	});
}

test("parameters dropped in mid-read end the read, and nothing written to them since goes out", async (t) => {
	const { server, client } = await openRaw(t);
	const size = 8 << 20;
	const parameters = new Float32Array(size).fill(1);
	server.openRun("big", someSchema(size));
	await server.publishParameters("big", 1, parameters);
	const call = read(client, size);
	const seen = new Set<number>();
	let dropped = false;
	const error = await t.throwsAsync<Refusal>(async () => {
		for await (const { chunk } of readAll(call)) {
			if (!dropped) await server.dropParameters("big", 1);
			if (!dropped) parameters.fill(2);
			dropped = true;
			if (chunk) seen.add(chunk.data.readFloatLE(0));
		}
	});
	t.is(error.reason, "REFUSAL_STALE_VERSION");
	t.deepEqual([...seen], [1]);
});

test("a reader that is cut off lets go of the stream", async (t) => {
	const { server, client } = await openRaw(t);
	server.openRun("big", someSchema(8 << 20));
	await server.publishParameters("big", 1, new Float32Array(8 << 20));
	const call = read(client, 8 << 20);
	call.on("error", () => {});
	await once(call, "data");
	call.cancel();
	await t.notThrowsAsync(server.dropParameters("big", 1));
	t.deepEqual(await upload(client, right), { duplicate: false });
});

function read(client: TensorsClient, size: number) {
	const schemaHash = someSchema(size).hash;
	return client.getParameters({ protocolVersion: 1, runId: "big", parameterVersion: 1, schemaHash });
}

function nextTurn(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
