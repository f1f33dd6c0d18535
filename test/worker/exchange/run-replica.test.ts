import test from "ava";
import type { GetStateResponse } from "../../../proto/gen/tailtune/v1/GetStateResponse.ts";
import type { StateHeader } from "../../../proto/gen/tailtune/v1/StateHeader.ts";
import type { UpdatePart } from "../../../proto/gen/tailtune/v1/UpdatePart.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { tensorChunks } from "../../../shared/exchange/tensor-stream.ts";
import { Refusal, type RefusalReason } from "../../../shared/rpc/refusal.ts";
import { fingerprintOf } from "../../../shared/vectors/fingerprint.ts";
import { isOfWorker } from "../../../worker/run/results.ts";
import { settle } from "../../shared/bus/virtual-clock.ts";
import { sameBits, someSchema } from "../../shared/exchange/conformance.ts";
import { ReceivedAnswers } from "../../shared/exchange/received-answers.ts";
import { PART_BYTES, ServedState, smallSchema } from "./served-state.ts";

const factors = smallSchema(4);
/** Offsets of the parameters and both moments in a state; each is one chunk. */
const momentBytes = 4 * factors.form.trainedSize;
const offsets = [0, 4 * factors.parameters, 4 * factors.parameters + momentBytes] as const;
const stateBytes = offsets[2] + momentBytes;
const stateHeader = { parameterVersion: 4, hasMoments: true, zeroMoments: false, byteOffset: 0 };

/** Yields messages, each replaced by none, one or several; `last` follows them. */
async function* changed<Message>(
	messages: AsyncIterable<Message>,
	change: (message: Message, i: number) => readonly Message[],
	last: readonly Message[] = [],
): AsyncGenerator<Message> {
	let i = 0;
	for await (const message of messages) yield* change(message, i++);
	yield* last;
}

/** A coordinator at version 3, and a replica of it. */
async function join(schema = factors, options: Parameters<ServedState["replica"]>[0] = {}) {
	const served = new ServedState(schema, 2);
	await served.step();
	const replica = served.replica(options);
	await replica.parameters(3);
	return { served, replica };
}

for (const [name, schema] of [
	["factors", factors],
	["dense gradients", smallSchema(0)],
	["rows of embeddings and factors", smallSchema(4, "TRAINABLE_ALL")],
] as const) {
	test(`${name}: a replica has the coordinator's bits after each of many updates, and reads one state`, async (t) => {
		const { served, replica } = await join(schema, { threads: 2 });
		for (let i = 0; i < 30; i++) {
			await served.step(1 + (i % 4));
			if (i % 3 === 0) continue; // an update that no item needs
			t.true(sameBits(await replica.parameters(served.version), served.state.parameters));
			t.is(replica.fingerprint, fingerprintOf(served.state.parameters));
		}
		t.deepEqual(served.calls, { states: 1, updates: 20 });
	});

	test(`${name}: a replica that joins later gets an earlier state and the updates after it, moments included`, async (t) => {
		const { served, replica } = await join(schema);
		for (let i = 0; i < 5; i++) await served.step(4);
		const versions: number[] = [];
		served.tamperState = (messages) =>
			changed(messages, (message) => {
				if (message.header) versions.push(message.header.parameterVersion);
				return [message];
			});
		const late = served.replica();
		for (let i = 0; i < 5; i++) {
			t.true(sameBits(await late.parameters(served.version), served.state.parameters));
			await served.step(2);
		}
		t.deepEqual(versions, [3]);
		t.deepEqual(await replica.parameters(served.version), await late.parameters(served.version));
	});
}

test("a replica that falls behind the kept updates reads the state again", async (t) => {
	const { served, replica } = await join(someSchema(2 << 20));
	await served.step();
	await replica.parameters(4);
	for (let i = 0; i < 10; i++) await served.step(); // 8 MiB each; 64 MiB are kept
	t.true(served.runs.held("run").updates < 10);
	t.true(sameBits(await replica.parameters(14), served.state.parameters));
	t.is(served.calls.states, 2);
	await served.step();
	t.true(sameBits(await replica.parameters(15), served.state.parameters));
	t.is(served.calls.states, 2);
});

test("a state that no kept updates lead on from isn't sent to its end, so that slow readers keep no old ones", async (t) => {
	const served = new ServedState(someSchema(2 << 20));
	await served.step();
	const wanted = { parameterVersion: 1, stateVersion: 0, byteOffset: 0 };
	const messages = served.source.getState(wanted, new AbortController().signal)[Symbol.asyncIterator]();
	t.is((await messages.next()).value?.header?.parameterVersion, 1);
	t.truthy((await messages.next()).value?.chunk);
	for (let i = 0; i < 10; i++) await served.step();
	await t.throwsAsync(messages.next(), { message: /no state or updates for version 1/ });
});

/** Replaces fields of the header of each update. */
function inHeader(change: (header: NonNullable<UpdatePart["header"]>) => object) {
	return (part: UpdatePart) => [{ ...part, header: part.header && { ...part.header, ...change(part.header) } }];
}

/** Replaces the first numbers of each update. */
function withNumbers(...found: number[]) {
	return (part: UpdatePart): UpdatePart[] => {
		if (part.chunk?.byteOffset !== 0) return [part];
		const { buffer, byteOffset, length } = Buffer.from(part.chunk.data);
		const numbers = new Float32Array(buffer.slice(byteOffset, byteOffset + length));
		numbers.set(found);
		return [...tensorChunks(numbers)].map((chunk) => ({ ...part, chunk }));
	};
}

function isLast({ chunk }: UpdatePart): boolean {
	return !!chunk && chunk.data.length < PART_BYTES;
}

/** Returns the reason of a refusal. Wrong messages must be a fault of the worker: one of the item would end the run. */
function reasonOf(error: Error): RefusalReason | undefined {
	const refusal = error instanceof Refusal ? error : error.cause;
	if (!(refusal instanceof Refusal)) return undefined;
	// Numbers that aren't finite may be the coordinator's own, and only the coordinator knows which versions are over.
	const isOfItem = ["REFUSAL_NOT_FINITE", "REFUSAL_STALE_VERSION"].includes(refusal.reason);
	return isOfWorker(error) !== isOfItem ? refusal.reason : undefined;
}

const scalars = { decay: 0, vectorDecay: 0, stepSize: 0, epsilon: 1, gradientScale: 1 };
let kept: UpdatePart[] = [];

const logs: [title: string, reason: RefusalReason, change: (part: UpdatePart, i: number) => UpdatePart[]][] = [
	[
		"skips an update",
		"REFUSAL_ORDER",
		inHeader(({ parameterVersion }) => ({ parameterVersion: parameterVersion + 1 })),
	],
	[
		"repeats an old update",
		"REFUSAL_ORDER",
		inHeader(({ parameterVersion }) => ({ parameterVersion: parameterVersion - 1 })),
	],
	["has no header", "REFUSAL_MALFORMED", (part) => [{ ...part, header: null }]],
	["has no numbers", "REFUSAL_MALFORMED", (part) => [{ ...part, chunk: null }]],
	["has an empty part", "REFUSAL_MALFORMED", (part) => [part, { header: null, chunk: null, rows: [] }]],
	["begins an update within another one", "REFUSAL_ORDER", (part) => (isLast(part) ? [] : [part])],
	["lacks a part", "REFUSAL_ORDER", (part, i) => (i === 1 ? [] : [part])],
	["announces no texts", "REFUSAL_LENGTH", inHeader(() => ({ texts: 0 }))],
	["announces more texts than a step has", "REFUSAL_LENGTH", inHeader(() => ({ texts: 5 }))],
	["announces 4 billion texts", "REFUSAL_LENGTH", inHeader(() => ({ texts: 2 ** 32 - 1 }))],
	["has factors of more texts than announced", "REFUSAL_LENGTH", inHeader(() => ({ texts: 1 }))],
	["has factors of fewer texts than announced", "REFUSAL_ORDER", inHeader(() => ({ texts: 4 }))],
	["has no scalars", "REFUSAL_MALFORMED", inHeader(() => ({ scalars: null }))],
	[
		"has a scalar that isn't a number",
		"REFUSAL_NOT_FINITE",
		inHeader(() => ({ scalars: { ...scalars, stepSize: Number.NaN } })),
	],
	[
		"has other scalars in its second part",
		"REFUSAL_MALFORMED",
		(part, i) => (i === 1 ? inHeader(() => ({ scalars }))(part) : [part]),
	],
	[
		"has another number of texts in its second part",
		"REFUSAL_MALFORMED",
		(part, i) => (i === 1 ? inHeader(() => ({ texts: 3 }))(part) : [part]),
	],
	["has NaN in its factors", "REFUSAL_NOT_FINITE", withNumbers(Number.NaN)],
	["has a gradient that overflows", "REFUSAL_NOT_FINITE", withNumbers(3e38)],
	["has a part twice", "REFUSAL_ORDER", (part) => [part, part]],
	[
		"has a damaged part",
		"REFUSAL_CHECKSUM",
		(part) => [{ ...part, chunk: part.chunk && { ...part.chunk, xxh64: Buffer.alloc(8) } }],
	],
	[
		"sends an update again after it",
		"REFUSAL_ORDER",
		(part) => {
			kept = [...(part.chunk?.byteOffset === 0 ? [] : kept), part];
			return isLast(part) ? [part, ...kept] : [part];
		},
	],
];

/** Replaces the rows of each update. */
function withRows(change: (rows: readonly number[]) => number[]) {
	return (part: UpdatePart) => [part.chunk?.byteOffset === 0 ? { ...part, rows: change(part.rows) } : part];
}

const tables = smallSchema(4, "TRAINABLE_ALL");

const rowLogs: typeof logs = [
	["has rows in descending order", "REFUSAL_MALFORMED", withRows((rows) => rows.toReversed())],
	["has a row twice", "REFUSAL_MALFORMED", withRows(([first = 0, ...rows]) => [first, first, ...rows.slice(1)])],
	["has a row after the last position", "REFUSAL_MALFORMED", withRows((rows) => [...rows.slice(0, -1), 26])],
	["has a row that is the largest number", "REFUSAL_MALFORMED", withRows((rows) => [...rows.slice(1), 2 ** 32 - 1])],
	["has numbers of more rows than it names", "REFUSAL_LENGTH", withRows(() => [])],
	["has numbers of fewer rows than it names", "REFUSAL_ORDER", withRows(() => [...Array(26).keys()])],
	["has factors of more texts than a step, and few rows", "REFUSAL_LENGTH", inHeader(() => ({ texts: 5 }))],
];
const ofNoTable: (typeof logs)[number] = ["has rows without tables", "REFUSAL_MALFORMED", withRows(() => [0])];

for (const [title, reason, change, schema] of [
	...[...logs, ofNoTable].map((log) => [...log, factors] as const),
	...rowLogs.map((log) => [...log, tables] as const),
]) {
	test(`a log that ${title} is refused with ${reason}, and the replica recovers`, async (t) => {
		const { served, replica } = await join(schema);
		for (let i = 0; i < 2; i++) await served.step(2);
		served.tamperUpdates = (messages) => changed(messages, change);
		const error = await t.throwsAsync(replica.parameters(5));
		t.is(reasonOf(error), reason);
		t.notRegex(error.message, /\n/);
		served.tamperUpdates = (messages) => messages;
		t.true(sameBits(await replica.parameters(5), served.state.parameters));
		await served.step(3);
		t.true(sameBits(await replica.parameters(6), served.state.parameters));
	});
}

test("after a wrong update the replica reads the state again, without an error", async (t) => {
	const { served, replica } = await join();
	for (let i = 0; i < 2; i++) await served.step(2);
	served.tamperUpdates = (messages) => {
		served.tamperUpdates = (next) => next;
		return changed(messages, withNumbers(Number.NaN));
	};
	t.true(sameBits(await replica.parameters(5), served.state.parameters));
	t.deepEqual(served.calls, { states: 2, updates: 2 });
});

type StateMessage = GetStateResponse;

/** Replaces fields of the header of a state. */
function inStateHeader(fields: Partial<StateHeader>) {
	return (message: StateMessage): StateMessage[] =>
		message.header ? [{ header: { ...message.header, ...fields } }] : [message];
}

const states: [title: string, reason: RefusalReason, change: (message: StateMessage, i: number) => StateMessage[]][] = [
	["ends early", "REFUSAL_LENGTH", (message) => (message.end ? [] : [message])],
	["is empty", "REFUSAL_LENGTH", () => []],
	["has no header", "REFUSAL_ORDER", (message) => (message.header ? [] : [message])],
	["has two headers", "REFUSAL_ORDER", (message) => (message.header ? [message, message] : [message])],
	["has an empty message", "REFUSAL_ORDER", (message) => (message.end ? [{}, message] : [message])],
	["goes on after its end", "REFUSAL_ORDER", (message) => (message.end ? [message, message] : [message])],
	[
		"has chunks out of order",
		"REFUSAL_ORDER",
		({ chunk, ...message }) => (chunk ? [{ chunk: { ...chunk, byteOffset: 4 } }] : [message]),
	],
	["has no moments, but announces them", "REFUSAL_LENGTH", (message, i) => (i === 2 || i === 3 ? [] : [message])],
	[
		"has a later version than needed",
		"REFUSAL_STALE_VERSION",
		(message) => (message.header ? [{ header: { ...stateHeader, parameterVersion: 6 } }] : [message]),
	],
	["begins at another byte than asked", "REFUSAL_OFFSET", inStateHeader({ byteOffset: 4 })],
	["begins at its end", "REFUSAL_OFFSET", inStateHeader({ byteOffset: stateBytes })],
	[
		"has an earlier version and no moments",
		"REFUSAL_STALE_VERSION",
		(message, i) =>
			[
				[{ header: { ...stateHeader, hasMoments: false } }],
				[message],
				[],
				[],
				[{ end: { byteLength: 4 * factors.parameters } }],
			][i] ?? [],
	],
];

for (const [title, reason, change] of states) {
	test(`a state that ${title} is refused with ${reason}, and the replica recovers`, async (t) => {
		const { served } = await join();
		for (let i = 0; i < 2; i++) await served.step(2);
		const replica = served.replica();
		served.tamperState = (messages) => changed(messages, change);
		const error = await t.throwsAsync(replica.parameters(5));
		t.is(reasonOf(error), reason);
		served.tamperState = (messages) => messages;
		t.true(sameBits(await replica.parameters(5), served.state.parameters));
		await served.step(3);
		t.true(sameBits(await replica.parameters(6), served.state.parameters));
	});
}

const offline = () => new TailtuneError("offline", "gRPC UNAVAILABLE: no connection");

/** A state at version 3, and a new replica. Its first stream breaks after `count` messages. */
async function joinBroken(count: number, schema = factors, error: () => Error = offline) {
	const { served } = await join(schema);
	/** Offsets of the headers and chunks that arrived. */
	const begun: number[] = [];
	const chunks: number[] = [];
	const observed = (messages: AsyncIterable<StateMessage>) =>
		changed(messages, (message) => {
			if (message.header) begun.push(message.header.byteOffset);
			if (message.chunk) chunks.push(message.chunk.byteOffset);
			return [message];
		});
	const tamperNext = (tamper: ServedState["tamperState"]) => {
		served.tamperState = (messages) => {
			served.tamperState = observed;
			return observed(tamper(messages));
		};
	};
	const breakNext = (after: number) =>
		tamperNext((messages) =>
			changed(messages, (message, i) => {
				if (i === after) throw error();
				return [message];
			}),
		);
	breakNext(count);
	const replica = served.replica();
	await replica.parameters(3).catch(() => {});
	return { served, replica, begun, chunks, breakNext, tamperNext };
}

/** Opens the run again without its copies, as after a restart of the coordinator. */
function reopen({ runs, schema }: ServedState): void {
	runs.closeRun("run");
	runs.openRun("run", schema, new ReceivedAnswers(0));
}

for (const [name, error] of [
	["a broken connection", offline],
	["too many calls", () => new Refusal("REFUSAL_TOO_MANY", "too many calls")],
] as const) {
	test(`a state is continued after ${name}, at any message: no chunk is read twice`, async (t) => {
		for (let count = 1; count <= 4; count++) {
			const { served, replica, begun, chunks } = await joinBroken(count, factors, error);
			t.is(replica.version, undefined);
			t.is(replica.fingerprint, undefined);
			t.true(sameBits(await replica.parameters(3), served.state.parameters));
			t.deepEqual(chunks, [...offsets]);
			t.deepEqual(begun, [0, offsets[count - 1] ?? stateBytes]);
			await served.step(); // the moments are right too
			t.true(sameBits(await replica.parameters(4), served.state.parameters));
		}
	});
}

test("a state of long vectors is continued within a vector", async (t) => {
	const { served, replica, chunks } = await joinBroken(4, someSchema(300_000));
	t.true(sameBits(await replica.parameters(3), served.state.parameters));
	t.deepEqual(
		chunks,
		[0, 1, 2].flatMap((i) => [i * 1_200_000, i * 1_200_000 + (1 << 20)]),
	);
});

test("moments that are zeros aren't sent, and replace those of a state before", async (t) => {
	for (const hasMinus of [false, true]) {
		const { served, replica } = await join();
		const sizes: number[] = [];
		served.tamperState = (messages) =>
			changed(messages, (message) => {
				sizes.push(message.chunk?.data.length ?? 0);
				return [message];
			});
		for (const moment of [served.state.firstMoment, served.state.secondMoment]) moment.fill(0);
		if (hasMinus) served.state.secondMoment.set([-0], 5); // not all bits are 0
		reopen(served);
		await served.publish();
		replica.drop();
		await replica.parameters(3);
		t.deepEqual(sizes, [0, offsets[1], ...(hasMinus ? [momentBytes, momentBytes] : []), 0]);
		for (const _ of [1, 2]) await served.step();
		t.true(sameBits(await replica.parameters(5), served.state.parameters));
	}
});

test("a state that breaks several times is continued each time, while the run takes steps", async (t) => {
	const { served, replica, chunks, breakNext } = await joinBroken(2);
	await served.step();
	breakNext(2);
	await t.throwsAsync(replica.parameters(4), { code: "offline" });
	await served.step();
	t.true(sameBits(await replica.parameters(5), served.state.parameters));
	t.deepEqual(chunks, [...offsets]);
});

test("a state without moments is continued too, unless another version replaces it", async (t) => {
	for (const version of [3, 4]) {
		const { served, replica, begun, breakNext } = await joinBroken(0);
		reopen(served);
		await served.runs.publishState("run", 3, { parameters: served.state.parameters });
		breakNext(2);
		await t.throwsAsync(replica.parameters(3), { code: "offline" });
		const parameters = served.state.parameters.map((number) => number + version - 3);
		if (version === 4) await served.runs.publishState("run", 4, { parameters });
		t.true(sameBits(await replica.parameters(version), parameters));
		t.deepEqual(begun, [0, version === 3 ? offsets[1] : 0]);
	}
});

test("a half-read state that the coordinator doesn't send any more is read from its beginning", async (t) => {
	const { served, replica, begun } = await joinBroken(3);
	reopen(served);
	for (let i = 0; i < 2; i++) await served.step();
	t.true(sameBits(await replica.parameters(5), served.state.parameters));
	t.deepEqual(begun, [0, 0]);
});

test("a half-read state with moments isn't continued as one of the same version without moments", async (t) => {
	for (const count of [2, 3]) {
		const { served, replica } = await joinBroken(count);
		reopen(served);
		await served.runs.publishState("run", 3, { parameters: served.state.parameters });
		t.true(sameBits(await replica.parameters(3), served.state.parameters));
	}
});

test("a half-read state that is dropped is read from its beginning", async (t) => {
	const { served, replica, begun } = await joinBroken(3);
	replica.drop();
	t.true(sameBits(await replica.parameters(3), served.state.parameters));
	t.deepEqual(begun, [0, 0]);
});

type Rest = [title: string, reason: RefusalReason | undefined, change: (message: StateMessage) => StateMessage[]];

const wrongRests: Rest[] = [
	["begins before it", undefined, inStateHeader({ byteOffset: 4 })],
	["begins after it", undefined, inStateHeader({ byteOffset: offsets[2] })],
	["begins beyond its end", undefined, inStateHeader({ byteOffset: 2 ** 40 })],
	["is of another version", undefined, inStateHeader({ parameterVersion: 2 })],
	["has no moments", undefined, inStateHeader({ hasMoments: false })],
	["has moments that are zeros", undefined, inStateHeader({ zeroMoments: true })],
	["says that it begins at 0", "REFUSAL_ORDER", inStateHeader({ byteOffset: 0 })],
	[
		"has a damaged chunk",
		"REFUSAL_CHECKSUM",
		({ chunk, ...message }) => (chunk ? [{ chunk: { ...chunk, xxh64: Buffer.alloc(8) } }] : [message]),
	],
	["lacks chunks", "REFUSAL_LENGTH", (message) => (message.chunk ? [] : [message])],
];

for (const [title, reason, change] of wrongRests) {
	const reaction = reason ? `is refused with ${reason}` : "isn't used";
	test(`the rest of a half-read state that ${title} ${reaction}, and the state is read from its beginning`, async (t) => {
		const { served, replica, begun, tamperNext } = await joinBroken(2);
		tamperNext((messages) => changed(messages, change));
		if (reason) t.is(reasonOf(await t.throwsAsync(replica.parameters(3))), reason);
		t.true(sameBits(await replica.parameters(3), served.state.parameters));
		t.is(begun.at(-1), 0);
		t.is(served.calls.states, 4);
		await served.step();
		t.true(sameBits(await replica.parameters(4), served.state.parameters));
	});
}

test("a run that doesn't train has no moments: each version is read as a whole", async (t) => {
	const served = new ServedState(factors);
	const replica = served.replica();
	for (const version of [1, 2, 2]) {
		const parameters = served.state.parameters.map((number) => number + version);
		await served.runs.publishState("run", version, { parameters });
		t.true(sameBits(await replica.parameters(version), parameters));
		t.is(replica.fingerprint, fingerprintOf(parameters));
	}
	t.deepEqual(served.calls, { states: 2, updates: 0 });
	await served.step(); // training begins
	t.true(sameBits(await replica.parameters(1), served.state.parameters));
});

test("at the end of a run the replica goes back to the best weights, which may be of an earlier version", async (t) => {
	const { served, replica } = await join();
	const best = served.state.parameters.slice();
	for (let i = 0; i < 3; i++) await served.step();
	await replica.parameters(6);
	await served.runs.dropState("run", 6);
	await served.runs.publishState("run", 3, { parameters: best });
	t.true(sameBits(await replica.parameters(3), best));
	t.is(replica.fingerprint, fingerprintOf(best));
});

test("a request for a version that is over is refused and costs nothing", async (t) => {
	const { served, replica } = await join();
	await served.step();
	const parameters = await replica.parameters(4);
	const error = await t.throwsAsync<Refusal>(replica.parameters(3));
	t.is(error.reason, "REFUSAL_STALE_VERSION");
	t.is(await replica.parameters(4), parameters);
	await served.step();
	t.true(sameBits(await replica.parameters(5), served.state.parameters));
	t.deepEqual(served.calls, { states: 2, updates: 2 });
});

test("the array is the same object for as long as its numbers are the same", async (t) => {
	const { served, replica } = await join();
	const first = await replica.parameters(3);
	t.is(await replica.parameters(3), first);
	replica.drop();
	const again = await replica.parameters(3);
	t.not(again, first);
	await served.step();
	t.not(await replica.parameters(4), again);
});

test("a call for updates that ends early or breaks fails the request, and not the next one", async (t) => {
	const { served, replica } = await join();
	await t.throwsAsync(replica.parameters(4), {
		code: "offline",
		message: /no update after version 3, expected those to 4/,
	});
	await served.step();
	served.tamperUpdates = (parts) => changed(parts, (part) => (isLast(part) ? [] : [part]));
	await t.throwsAsync(replica.parameters(4), { code: "offline", message: /no update after version 3/ });
	served.tamperUpdates = (parts) =>
		changed(parts, (part, i) => {
			if (i === 1) served.breakCalls();
			return [part];
		});
	await t.throwsAsync(replica.parameters(4), { code: "offline", message: "no connection" });
	served.tamperUpdates = (parts) => parts;
	t.true(sameBits(await replica.parameters(4), served.state.parameters));
	t.deepEqual(served.calls, { states: 1, updates: 4 });
});

test("a state that is dropped while a request waits for an update is read again", async (t) => {
	const { served, replica } = await join();
	served.tamperUpdates = async function* () {
		served.tamperUpdates = (messages) => messages;
		await new Promise(() => {});
	};
	await served.step();
	const waiting = replica.parameters(4);
	await settle();
	replica.drop();
	t.true(sameBits(await waiting, served.state.parameters));
	t.deepEqual(served.calls, { states: 2, updates: 2 });
});

test("messages that had arrived before the state was dropped are not applied to the next one", async (t) => {
	const { served, replica } = await join();
	let letGo = () => {};
	const held = new Promise<void>((resolve) => {
		letGo = resolve;
	});
	served.tamperUpdates = async function* (messages) {
		served.tamperUpdates = (next) => next;
		for await (const message of messages) {
			if (isLast(message)) await held;
			yield message;
		}
	};
	await served.step();
	const waiting = replica.parameters(4);
	await settle();
	replica.drop();
	t.true(sameBits(await waiting, served.state.parameters));
	letGo();
	await settle();
	t.true(sameBits(await replica.parameters(4), served.state.parameters));
	t.is(replica.fingerprint, fingerprintOf(served.state.parameters));
});

for (const place of ["an update", "the state"] as const) {
	test(`closing a replica ends a request that waits for ${place}, and later ones`, async (t) => {
		const { served, replica: joined } = await join();
		const replica = place === "an update" ? joined : served.replica();
		served.tamperState = async function* (messages) {
			yield* changed(messages, (message) => (message.end ? [] : [message]));
			await new Promise(() => {});
		};
		served.tamperUpdates = async function* () {
			await new Promise(() => {});
		};
		const waiting = replica.parameters(place === "an update" ? 4 : 3);
		const next = replica.parameters(4);
		await settle();
		replica.close();
		for (const request of [waiting, next, replica.parameters(3)]) await t.throwsAsync(request, { code: "interrupted" });
	});
}
