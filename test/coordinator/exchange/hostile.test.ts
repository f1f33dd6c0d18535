import { getEventListeners, once } from "node:events";
import { constants } from "node:http2";
import { status } from "@grpc/grpc-js";
import test, { type ExecutionContext } from "ava";
import { checkSizes } from "../../../coordinator/cluster/check-answer.ts";
import { serveTensors, type TensorServiceOptions } from "../../../coordinator/exchange/grpc-coordinator-tensors.ts";
import { MAX_UPLOADS } from "../../../coordinator/exchange/grpc-uploads.ts";
import { ServedRuns } from "../../../coordinator/exchange/served-runs.ts";
import { serverStream } from "../../../coordinator/rpc/handlers.ts";
import { createServer, type ServerOptions } from "../../../coordinator/rpc/server.ts";
import type { GetUpdatesRequest } from "../../../proto/gen/tailtune/v1/GetUpdatesRequest.ts";
import type { PutAnswerRequestInput } from "../../../proto/gen/tailtune/v1/PutAnswerRequest.ts";
import {
	type ExchangeClient,
	ExchangeClientConstructor,
	exchangeDefinition,
} from "../../../shared/exchange/tensor-service.ts";
import { CALL_LIMITS, type CallLimits } from "../../../shared/rpc/config.ts";
import { REFUSALS, type Refusal, type RefusalReason } from "../../../shared/rpc/refusal.ts";
import { gradientLength } from "../../../shared/updates/gradient-form.ts";
import type { Update } from "../../../shared/updates/updatable-state.ts";
import { fingerprintOf } from "../../../shared/vectors/fingerprint.ts";
import { createClient } from "../../../worker/exchange/client.ts";
import { readAll } from "../../../worker/exchange/read.ts";
import { someItem } from "../../shared/bus/messages.ts";
import { someSchema } from "../../shared/exchange/conformance.ts";
import { ReceivedAnswers } from "../../shared/exchange/received-answers.ts";
import { framed, rawCall, rawConnection } from "../rpc/raw-call.ts";
import { someChunk, someEnd, someHeader, upload } from "./raw-uploads.ts";

interface RawOptions extends TensorServiceOptions, ServerOptions {
	/** Version with which answers have to be computed; default: none. */
	readonly version?: number;
}

/** A server with version 3 of run "run", of 3 parameters, and a client that can send any message. */
async function openRaw(
	t: ExecutionContext,
	{ version, ...options }: RawOptions = {},
	isAsked?: (serial: number) => boolean,
) {
	const server = await serveTensors(options);
	const client = await createClient(ExchangeClientConstructor, server.address);
	t.teardown(async () => {
		client.close();
		await server.close();
	});
	const received = new ReceivedAnswers(3, isAsked, version);
	server.openRun("run", someSchema(3), received);
	await server.publishState("run", 3, { parameters: Float32Array.of(1, 2, 3) });
	return { server, client, received };
}

const right = [someHeader(3), someChunk(0, [1, 2, 3]), someEnd(3)];
const [, ...numbers] = right;
const changed = { tensor: { ...someChunk(0, [1, 2, 3]).tensor, data: Buffer.from(Float32Array.of(1, 2, 4).buffer) } };
const empty: PutAnswerRequestInput = { tensor: { byteOffset: 0, data: Buffer.alloc(0) } };
const odd: PutAnswerRequestInput = { tensor: { byteOffset: 0, data: Buffer.alloc(7) } };
const withLogits = someHeader(3, {}, { logitsLength: 2 });

const uploads: [title: string, reason: RefusalReason, messages: PutAnswerRequestInput[]][] = [
	["nothing at all", "REFUSAL_ORDER", []],
	["no header", "REFUSAL_ORDER", numbers],
	["a header without a result", "REFUSAL_MALFORMED", [someHeader(3, {}, { result: null }), ...numbers]],
	["a message with nothing in it", "REFUSAL_ORDER", [someHeader(3), {}]],
	["a second header", "REFUSAL_ORDER", [someHeader(3), ...right]],
	["another protocol version", "REFUSAL_PROTOCOL_VERSION", [someHeader(3, {}, { protocolVersion: 2 }), ...numbers]],
	["an unknown run", "REFUSAL_UNKNOWN_RUN", [someHeader(3, { runId: "__proto__" }), ...numbers]],
	["another schema", "REFUSAL_SCHEMA", [someHeader(3, {}, { schemaHash: "0" }), ...numbers]],
	["another length announced", "REFUSAL_LENGTH", [someHeader(3, {}, { tensorLength: 2 ** 40 }), ...numbers]],
	["too many numbers", "REFUSAL_LENGTH", [someHeader(3), someChunk(0, [1, 2, 3, 4]), someEnd(4)]],
	["too few numbers", "REFUSAL_LENGTH", [someHeader(3), someChunk(0, [1, 2]), someEnd(2)]],
	["another length at its end", "REFUSAL_LENGTH", [...right.slice(0, 2), someEnd(4)]],
	["no end", "REFUSAL_LENGTH", right.slice(0, 2)],
	["chunks out of order", "REFUSAL_ORDER", [someHeader(3), someChunk(4, [2, 3]), someChunk(0, [1]), someEnd(3)]],
	["a chunk twice", "REFUSAL_ORDER", [someHeader(3), someChunk(0, [1]), someChunk(0, [1, 2, 3]), someEnd(3)]],
	["an empty chunk", "REFUSAL_MALFORMED", [someHeader(3), empty]],
	["a chunk cut within a number", "REFUSAL_MALFORMED", [someHeader(3), odd]],
	["a chunk that isn't as it was sent", "REFUSAL_CHECKSUM", [someHeader(3), changed, someEnd(3)]],
	["a message after the end", "REFUSAL_ORDER", [...right, someChunk(12, [4])]],
	["NaN", "REFUSAL_NOT_FINITE", [someHeader(3), someChunk(0, [1, Number.NaN, 3]), someEnd(3)]],
	["infinity", "REFUSAL_NOT_FINITE", [someHeader(3), someChunk(0, [-Infinity, 2, 3]), someEnd(3)]],
	["too few logits", "REFUSAL_LENGTH", [withLogits, someChunk(0, [1], "logits"), ...numbers]],
	["logits that weren't announced", "REFUSAL_LENGTH", [someHeader(3), someChunk(0, [1], "logits"), ...numbers]],
	["NaN in the logits", "REFUSAL_NOT_FINITE", [withLogits, someChunk(0, [1, Number.NaN], "logits"), ...numbers]],
];

for (const [title, reason, messages] of uploads) {
	test(`an answer with ${title} is refused with ${reason}, counted, and leaves nothing`, async (t) => {
		const { server, client, received } = await openRaw(t);
		const error = await t.throwsAsync<Refusal>(upload(client, messages), { code: REFUSALS[reason].code });
		t.is(error.reason, reason);
		t.is((error.cause as { code: number }).code, statusCodeOf(reason));
		t.notRegex(error.message, /\n/);
		t.deepEqual([...server.refusals], [[reason, 1]]);
		t.deepEqual(received.answers, []);
		t.is(server.uploadsUnderWay, 0);
		await upload(client, right);
		t.deepEqual(received.tensors, [Float32Array.of(1, 2, 3)]);
	});
}

test("a second answer to an item is refused and counted, and not accepted", async (t) => {
	const { server, client, received } = await openRaw(t);
	await upload(client, right);
	const second = [someHeader(3), someChunk(0, [7, 7, 7]), someEnd(3)];
	for (const _ of [1, 2]) await t.throwsAsync(upload(client, second), { message: /is not waiting/ });
	t.deepEqual(received.tensors, [Float32Array.of(1, 2, 3)]);
	t.deepEqual([...server.refusals], [["REFUSAL_NOT_EXPECTED", 2]]);
});

/** Begins an answer and leaves it open. Resolves with the error that ends it. */
function begin(client: ExchangeClient, ...messages: PutAnswerRequestInput[]): Promise<{ code: number } | null> {
	return new Promise((resolve) => {
		const call = client.putAnswer((error) => resolve(error));
		for (const message of messages) call.write(message);
	});
}

test("of two simultaneous answers to an item the one that completes first counts, and the other is ended", async (t) => {
	const { server, client, received } = await openRaw(t);
	const slow = begin(client, someHeader(3), someChunk(0, [7]));
	while (server.uploadsUnderWay === 0) await nextTurn();
	await upload(client, [someHeader(3, { workerId: "another" }), ...numbers]);
	t.like(await slow, { code: statusCodeOf("REFUSAL_NOT_EXPECTED") });
	t.is(server.uploadsUnderWay, 0);
	t.deepEqual(received.tensors, [Float32Array.of(1, 2, 3)]);
	t.deepEqual(server.held("run"), { states: 1, updates: 0, free: 1 });
});

test("an answer that stops before its end is ended, and so is one that sends nothing at all", async (t) => {
	const { server, client, received } = await openRaw(t, { silenceMs: 100 });
	for (const messages of [[], [someHeader(3), someChunk(0, [1])]]) {
		t.like(await begin(client, ...messages), { code: status.UNAVAILABLE });
		t.is(server.uploadsUnderWay, 0);
	}
	t.deepEqual(received.answers, []);
	t.deepEqual(server.held("run"), { states: 1, updates: 0, free: 1 });
});

test("a worker's second answer to an item ends its first one", async (t) => {
	const { server, client, received } = await openRaw(t);
	const ended = begin(client, someHeader(3), someChunk(0, [7]));
	while (server.uploadsUnderWay === 0) await nextTurn();
	await upload(client, right);
	t.like(await ended, { code: statusCodeOf("REFUSAL_TOO_MANY") });
	t.is(server.uploadsUnderWay, 0);
	t.deepEqual(received.tensors, [Float32Array.of(1, 2, 3)]);
});

test("an answer to an item that isn't waiting is refused", async (t) => {
	const { server, client, received } = await openRaw(t, {}, (serial) => serial === 7);
	await t.throwsAsync(upload(client, right), { message: /item 1 is not waiting/ });
	t.deepEqual([...server.refusals], [["REFUSAL_NOT_EXPECTED", 1]]);
	await upload(client, [someHeader(3, { serial: 7 }), ...numbers]);
	t.is(received.answers.length, 1);
});

test("an unfinished answer is refused as soon as its item stops waiting", async (t) => {
	const { server, client, received } = await openRaw(t);
	const refused = begin(client, someHeader(3), someChunk(0, [1]));
	while (server.uploadsUnderWay === 0) await nextTurn();
	received.end(1);
	t.like(await refused, { code: statusCodeOf("REFUSAL_NOT_EXPECTED") });
	t.is(server.uploadsUnderWay, 0);
	t.deepEqual([...server.refusals], [["REFUSAL_NOT_EXPECTED", 1]]);
});

test("the parts of updates that a worker refused are counted when it reads updates", async (t) => {
	const { server, client } = await openRaw(t);
	await server.publishState("run", 3, stateOf(3));
	await server.publishUpdate("run", updateTo(4, 3));
	for (const refusedParts of [2, 0, 1]) {
		const updates = readAll<object>(client.getUpdates({ ...requested, refusedParts }));
		t.false((await updates.next()).done);
		await updates.return(undefined);
	}
	t.is(server.refusedParts, 3);
});

test("a client that disconnects during an answer leaves nothing, and isn't counted as refused", async (t) => {
	const { server, client, received } = await openRaw(t);
	const call = client.putAnswer(() => {});
	call.write(someHeader(3));
	call.write(someChunk(0, [1]));
	while (server.uploadsUnderWay === 0) await nextTurn();
	call.cancel();
	while (server.uploadsUnderWay > 0) await nextTurn();
	t.deepEqual(received.answers, []);
	t.deepEqual(server.held("run"), { states: 1, updates: 0, free: 1 });
	t.is(server.refusals.size, 0);
});

test("the number of answers received at the same time is limited", async (t) => {
	const { server, client, received } = await openRaw(t);
	const others = await Promise.all(
		Array.from({ length: MAX_UPLOADS / CALL_LIMITS.streams }, () =>
			createClient(ExchangeClientConstructor, server.address),
		),
	);
	t.teardown(() => others.map((other) => other.close()));
	const calls = Array.from({ length: MAX_UPLOADS }, (_, i) => {
		const call = (others[i % others.length] ?? client).putAnswer(() => {});
		call.write(someHeader(3, { serial: i + 10 }));
		return call;
	});
	while (server.uploadsUnderWay < MAX_UPLOADS) await nextTurn();
	await t.throwsAsync(upload(client, right), { code: "busy", message: /256 answers/ });
	for (const call of calls) call.cancel();
	while (server.uploadsUnderWay > 0) await nextTurn();
	await upload(client, right);
	t.is(received.answers.length, 1);
});

test("bytes that are no message and messages over 4 MiB are refused, and the server continues", async (t) => {
	const { server, client, received } = await openRaw(t);
	const send = (bytes: Buffer) =>
		new Promise<{ code: number } | null>((resolve) => {
			const call = client.makeClientStreamRequest(
				"/tailtune.v1.Exchange/PutAnswer",
				(raw: Buffer) => raw,
				(raw: Buffer) => raw,
				(error) => resolve(error),
			);
			call.write(bytes);
			call.end();
		});
	t.like(await send(Buffer.alloc(64, 0xff)), { code: statusCodeOf("REFUSAL_MALFORMED") });
	t.deepEqual([...server.refusals], [["REFUSAL_MALFORMED", 1]]);
	t.like(await send(Buffer.alloc(5 << 20)), { code: 8 });
	await upload(client, right);
	t.is(received.answers.length, 1);
});

const fingerprint = fingerprintOf(Float32Array.of(1, 2, 3));

for (const [title, found] of [
	["another fingerprint", fingerprintOf(Float32Array.of(1, 2, 4))],
	["no fingerprint", undefined],
] as const) {
	test(`an answer with ${title} of the parameters is refused and counted, and a right one is accepted`, async (t) => {
		const { server, client, received } = await openRaw(t, { version: 3 });
		const changes = found === undefined ? {} : { fingerprint: found };
		const error = await t.throwsAsync<Refusal>(upload(client, [someHeader(3, {}, changes), ...numbers]));
		t.is(error.reason, "REFUSAL_DIVERGED");
		t.regex(error.message, new RegExp(`fingerprint ${found}, expected fingerprint ${fingerprint} of version 3$`));
		t.deepEqual([...server.refusals], [["REFUSAL_DIVERGED", 1]]);
		t.deepEqual(server.held("run"), { states: 1, updates: 0, free: 0 });
		await upload(client, [someHeader(3, {}, { fingerprint }), ...numbers]);
		t.deepEqual(received.tensors, [Float32Array.of(1, 2, 3)]);
	});
}

test("a failure needs no fingerprint", async (t) => {
	const { client, received } = await openRaw(t, { version: 3 });
	const failure = { code: "engine", message: "broken", ofWorker: true, fault: 1 };
	await upload(client, [someHeader(0, { failure }, { schemaHash: "", tensorLength: 0 }), someEnd(0)]);
	t.deepEqual(received.answers[0]?.result.failure, failure);
});

const [text] = someItem().sequences;
const twoTexts = someItem({ sequences: text ? [text, text] : [] });

test("factors of another number of texts than the item's are refused before they are received", async (t) => {
	const { server, client } = await openRaw(t);
	const form = { dense: [], factors: [], decayGroups: [], trainedSize: 30, denseSize: 2, factorSize: 5 };
	const isFor = (texts: number) => gradientLength(form, texts);
	const over = new AbortController().signal;
	server.openRun(
		"factors",
		{ hash: "factors", parameters: 30, form, factorTexts: 4 },
		{
			expect: (result, sizes) => {
				checkSizes(sizes, twoTexts, { classes: 0, gradientLength: ({ length }) => isFor(length) }, !!result.failure);
				return { over, version: undefined };
			},
			accept: () => {},
		},
	);
	for (const tensorLength of [1, 3, 4, 2 ** 40].map(isFor)) {
		const header = someHeader(3, { runId: "factors" }, { schemaHash: "factors", tensorLength });
		const error = await t.throwsAsync<Refusal>(upload(client, [header]), { message: /expected 0 and 12$/ });
		t.is(error.reason, "REFUSAL_LENGTH");
	}
	t.deepEqual([...server.refusals], [["REFUSAL_LENGTH", 4]]);
	t.is(server.held("factors").free, 0);
});

const reads: [title: string, reason: RefusalReason, changes: object][] = [
	["another protocol version", "REFUSAL_PROTOCOL_VERSION", { protocolVersion: 0 }],
	["an unknown run", "REFUSAL_UNKNOWN_RUN", { runId: "" }],
	["another schema", "REFUSAL_SCHEMA", { schemaHash: someSchema(4).hash }],
	["an old version", "REFUSAL_STALE_VERSION", { parameterVersion: 2 }],
	["a future version", "REFUSAL_STALE_VERSION", { parameterVersion: 4 }],
];

const requested = { protocolVersion: 1, runId: "run", parameterVersion: 3, schemaHash: someSchema(3).hash };

for (const [title, reason, changes] of reads) {
	for (const method of ["getState", "getUpdates"] as const) {
		test(`${method} with ${title} is refused with ${reason}, and a right call afterwards isn't`, async (t) => {
			const { server, client } = await openRaw(t);
			await server.publishState("run", 3, stateOf(3));
			const call = (request: typeof requested) =>
				readAll<object>(method === "getState" ? client.getState(request) : client.getUpdates(request));
			const messages = call({ ...requested, ...changes });
			const error = await t.throwsAsync<Refusal>(messages.next());
			t.is(error.reason, reason);
			t.deepEqual([...server.refusals], [[reason, 1]]);
			await server.publishUpdate("run", updateTo(4, 3));
			const right = call(requested);
			t.false((await right.next()).done);
			await right.return(undefined);
		});
	}
}

test("the rest of a state is sent from the start of a chunk on, or from its end; other offsets are refused", async (t) => {
	const { server, client } = await openRaw(t);
	const size = 600_000; // 2.4 MB, which are chunks of 1 MiB, 1 MiB and the rest
	const { hash: schemaHash } = someSchema(size);
	server.openRun("big", someSchema(size), new ReceivedAnswers(size));
	await server.publishState("big", 3, { parameters: new Float32Array(size) });
	const ask = async (byteOffset: number, stateVersion = 3) => {
		const offsets: number[] = [];
		const request = { ...requested, runId: "big", schemaHash, stateVersion, byteOffset };
		for await (const { header, chunk } of readAll(client.getState(request)))
			offsets.push(header?.byteOffset ?? chunk?.byteOffset ?? 4 * size);
		return offsets;
	};
	t.deepEqual(await ask(0), [0, 0, 1 << 20, 2 << 20, 4 * size]);
	t.deepEqual(await ask(1 << 20), [1 << 20, 1 << 20, 2 << 20, 4 * size]);
	t.deepEqual(await ask(4 * size), [4 * size, 4 * size]);
	t.deepEqual(await ask(1 << 20, 2), [0, 0, 1 << 20, 2 << 20, 4 * size], "of another version");
	const wrong = [1, 4, (1 << 20) - 4, (1 << 20) + 1, 4 * size - 4, 4 * size + 4, 3 << 20, 2 ** 40, 2 ** 53];
	for (const byteOffset of wrong) {
		const error = await t.throwsAsync<Refusal>(ask(byteOffset), undefined, `${byteOffset}`);
		t.is(error.reason, "REFUSAL_OFFSET");
	}
	t.deepEqual([...server.refusals], [["REFUSAL_OFFSET", wrong.length]]);
});

test("updates of a run that doesn't train are refused", async (t) => {
	const { server, client } = await openRaw(t);
	const error = await t.throwsAsync<Refusal>(readAll(client.getUpdates(requested)).next());
	t.is(error.reason, "REFUSAL_STALE_VERSION");
	t.deepEqual([...server.refusals], [["REFUSAL_STALE_VERSION", 1]]);
});

/** A server with updates of run "run" only, the number of open streams, and a client that can break any rule. */
async function openUpdates(t: ExecutionContext, size: number, limits: Partial<CallLimits> = {}) {
	const runs = new ServedRuns();
	const { hash: schemaHash } = someSchema(size);
	runs.openRun("run", someSchema(size), new ReceivedAnswers(size));
	await runs.publishState("run", 0, stateOf(size));
	const open = new Set<AbortSignal>();
	async function* send(request: GetUpdatesRequest, cutOff: AbortSignal) {
		open.add(cutOff);
		try {
			yield* runs.sendUpdates(request);
		} finally {
			open.delete(cutOff);
		}
	}
	const handlers = { GetUpdates: serverStream(() => {}, send) };
	const server = await createServer({ limits }, [{ definition: exchangeDefinition, handlers }]);
	t.teardown(() => server.close());
	const { path, requestSerialize } = exchangeDefinition.GetUpdates;
	const session = rawConnection(t, server.address);
	const begin = async () => {
		const call = rawCall(session, path);
		call.stream.pause();
		call.stream.end(framed(requestSerialize({ ...requested, parameterVersion: 0, schemaHash })));
		while (open.size === 0) await nextTurn();
		return call;
	};
	let version = 0;
	const publish = () => runs.publishUpdate("run", updateTo(++version, size));
	return { server, runs, open, begin, publish };
}

/** Numbers of an update of 4 MiB. */
const LARGE = 1 << 20;

test("a client that disconnects while updates are sent leaves no call and no listener behind", async (t) => {
	const { server, open, begin, publish } = await openUpdates(t, LARGE);
	await publish();
	for (let i = 0; i < 20; i++) {
		const { stream } = await begin();
		const [cutOff] = open;
		stream.close(constants.NGHTTP2_CANCEL);
		while (open.size > 0) await nextTurn();
		t.deepEqual(cutOff && getEventListeners(cutOff, "abort"), []);
	}
	while (server.load.calls > 0) await nextTurn();
});

test.serial("a client that never reads its updates gets and holds one part, however many are published", async (t) => {
	const { runs, begin, publish } = await openUpdates(t, LARGE);
	await publish();
	const { stream, ended } = await begin();
	const used = () => process.memoryUsage().arrayBuffers;
	const before = used();
	let most = 0;
	for (let i = 0; i < 100; i++) {
		await publish();
		await nextTurn();
		most = Math.max(most, used() - before);
	}
	// 400 MiB were published and 64 MiB are kept. Garbage that isn't collected yet counts too.
	t.true(most < 200 * 2 ** 20, `${most} bytes`);
	t.is(runs.held("run").updates, 16);
	let read = 0;
	stream.on("data", (bytes: Buffer) => {
		read += bytes.length;
	});
	stream.resume();
	t.is((await ended).status, statusCodeOf("REFUSAL_STALE_VERSION"));
	t.true(read < 2 * 2 ** 20, `${read} bytes were sent`);
});

test("the call of a client that doesn't read its updates is ended after a time limit", async (t) => {
	const { server, open, begin, publish } = await openUpdates(t, LARGE, { messageMs: 50 });
	await publish();
	const { ended } = await begin();
	while (open.size > 0) await nextTurn();
	t.is((await ended).status, undefined);
	while (server.load.calls > 0) await nextTurn();
});

function stateOf(size: number) {
	const zeros = () => new Float32Array(size);
	return {
		parameters: Float32Array.from({ length: size }, (_, i) => i + 1),
		firstMoment: zeros(),
		secondMoment: zeros(),
	};
}

function updateTo(version: number, size: number): Update {
	const scalars = { decay: 0, vectorDecay: 0, stepSize: 0, epsilon: 1, gradientScale: 1 };
	return { version, texts: 1, scalars, gradient: new Float32Array(size).fill(version) };
}

test("parameters dropped during a read end the read, and none of the numbers written later are sent", async (t) => {
	const { server, client } = await openRaw(t);
	const size = 8 << 20;
	const parameters = new Float32Array(size).fill(1);
	server.openRun("big", someSchema(size), new ReceivedAnswers(size));
	await server.publishState("big", 1, { parameters });
	const call = read(client, size);
	const seen = new Set<number>();
	let dropped = false;
	const error = await t.throwsAsync<Refusal>(async () => {
		for await (const { chunk } of readAll(call)) {
			if (!dropped) await server.dropState("big", 1);
			if (!dropped) parameters.fill(2);
			dropped = true;
			if (chunk) seen.add(chunk.data.readFloatLE(0));
		}
	});
	t.is(error.reason, "REFUSAL_STALE_VERSION");
	t.deepEqual([...seen], [1]);
});

test("a reader that disconnects frees the stream", async (t) => {
	const { server, client } = await openRaw(t);
	server.openRun("big", someSchema(8 << 20), new ReceivedAnswers(8 << 20));
	await server.publishState("big", 1, { parameters: new Float32Array(8 << 20) });
	const call = read(client, 8 << 20);
	call.on("error", () => {});
	await once(call, "data");
	call.cancel();
	await t.notThrowsAsync(server.dropState("big", 1));
	await t.notThrowsAsync(upload(client, right));
});

function read(client: ExchangeClient, size: number) {
	const schemaHash = someSchema(size).hash;
	return client.getState({ protocolVersion: 1, runId: "big", parameterVersion: 1, schemaHash });
}

function statusCodeOf(reason: RefusalReason): number {
	return status[REFUSALS[reason].status];
}

function nextTurn(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
