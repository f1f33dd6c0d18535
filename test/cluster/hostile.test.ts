import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import ava, { type ExecutionContext, type TestFn } from "ava";
import { connect } from "nats";
import { readRunResult } from "../../coordinator/run-folder/result-files.ts";
import type { AnswerHeaderInput } from "../../proto/gen/tailtune/v1/AnswerHeader.ts";
import { watchNothing } from "../../shared/bus/changes.ts";
import { NatsNames } from "../../shared/bus/nats/subjects.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { type ExchangeClient, ExchangeClientConstructor } from "../../shared/exchange/tensor-service.ts";
import type { WorkItem, WorkResult } from "../../shared/messages.ts";
import type { Refusal } from "../../shared/rpc/refusal.ts";
import { fingerprintOf } from "../../shared/vectors/fingerprint.ts";
import type { WorkerOptions } from "../../shared/worker-port/running-worker.ts";
import { dialCoordinator } from "../../worker/cli/dial-coordinator.ts";
import { createClient } from "../../worker/exchange/client.ts";
import { connectTensors } from "../../worker/exchange/grpc-worker-tensors.ts";
import { readAll } from "../../worker/exchange/read.ts";
import { RunReplica } from "../../worker/exchange/run-replica.ts";
import { startWorker } from "../../worker/run/lifecycle.ts";
import { writeTexts } from "../cli/tailtune.ts";
import { someChunk, someEnd, upload } from "../coordinator/exchange/raw-uploads.ts";
import { startNatsServer, type TestServer } from "../nats-server.ts";
import { newFolder } from "../new-folder.ts";
import { connectClusterBus, type TakenItem, takeItem } from "./intruder.ts";
import { hashWeights, RunProcess, startWorkerProcess } from "./processes.ts";

// Promises 3 (nothing lost or counted twice) and 6 (clear refusal) of the design, against attackers with access.

const TOKEN = "the-token-of-this-test";

interface Context {
	data: string;
	server: TestServer;
	/** Hash of the weights of a run in one process. */
	expected: string;
}

const test = ava as TestFn<Context>;

test.before(async (t) => {
	const data = await writeTexts(120);
	const embedded = join(await newFolder(), "embedded");
	t.is(await RunProcess.begin(data, embedded).end(), "");
	t.context = { data, server: await startNatsServer(), expected: await hashWeights(embedded) };
});

test.after.always(({ context }) => context.server.stop());

test.serial(
	"messages that don't belong to a run are refused and counted, and the weights have the same bits",
	async (t) => {
		const { data, server, expected } = t.context;
		const folder = await newFolder();
		const env = { TAILTUNE_TOKEN_FILE: join(folder, "token") };
		await writeFile(env.TAILTUNE_TOKEN_FILE, TOKEN);
		const worker = await startWorkerProcess(server.url, join(folder, "cache"), { env });
		t.teardown(() => worker.end());
		const out = join(folder, "run");
		const flags = ["--nats", server.url, "--token-file", env.TAILTUNE_TOKEN_FILE];
		const run = RunProcess.begin(data, out, ...flags);
		await run.reach("epoch");
		const bus = await connectClusterBus(server.url);
		t.teardown(() => bus.close());
		// The run waits for this item, so the attack happens during a step.
		const taken = await takeItem(bus, out, "intruder");
		await attackTensors(t, taken);
		await attackNats(t, server.url, taken.item);
		await taken.leave();
		t.is(await run.end(), "");
		t.is(await hashWeights(out), expected);
		// It signs off, so that the next run doesn't wait for it.
		worker.signal("SIGTERM");
		t.is(await worker.exitCode(), 0);
		// The library ends the stream at a message that is too large; the reader may count it as one without a header.
		const result = await readRunResult(out);
		const { REFUSAL_ORDER: _, ...refused } = result.refused;
		const least = {
			REFUSAL_TOKEN: 2,
			REFUSAL_PROTOCOL_VERSION: 1,
			REFUSAL_UNKNOWN_RUN: 1,
			REFUSAL_SCHEMA: 1,
			REFUSAL_STALE_VERSION: 1,
			REFUSAL_NOT_EXPECTED: 4,
			REFUSAL_LENGTH: 4,
			REFUSAL_NOT_FINITE: 2,
			REFUSAL_MALFORMED: 1,
			REFUSAL_DIVERGED: 2,
			NATS_MESSAGE: 3,
		};
		t.deepEqual(Object.keys(refused).sort(), Object.keys(least).sort());
		// The count is larger if a worker answers an item after it was published again.
		for (const [reason, count] of Object.entries(least)) t.true((refused[reason] ?? 0) >= count, reason);
		const { double, stale, stray } = result.audit.ignored;
		t.true(double + stale >= 1);
		t.is(stray, 3);
	},
);

test.serial(
	"a worker whose parameters have another bit is reported and reads them again, and the weights have the same bits",
	async (t) => {
		const { data, server, expected } = t.context;
		const bus = await connectClusterBus(server.url);
		t.teardown(() => bus.close());
		const engine = { engine: "onnx", backend: "auto", threads: 1 } as const;
		const worker = await startWorker({ bus, connect: flipBit(5), engine, featureMemoryBytes: 1e8 });
		t.teardown(() => worker.stop());
		const out = join(await newFolder(), "run");
		const run = RunProcess.begin(data, out, "--nats", server.url);
		const found = "the worker's parameters differ from the coordinator's: it reads them again";
		const expectedText = `an item is retried because worker ${worker.info.workerId} failed: ${found}`;
		await run.reach("notice", ({ text }) => text === expectedText);
		t.is(await run.end(), "");
		t.is(await hashWeights(out), expected);
		// The rogue message of the first test is still stored.
		const { NATS_MESSAGE: _, ...refused } = (await readRunResult(out)).refused;
		t.deepEqual(refused, { REFUSAL_DIVERGED: 1 });
	},
);

/** Connects as a worker does, and flips the lowest bit of one parameter once, at a version. */
function flipBit(atVersion: number): WorkerOptions["connect"] {
	let isFlipped = false;
	return async (...args) => {
		const connection = await dialCoordinator({})(...args);
		const { tensors } = connection;
		const { parameters } = tensors;
		tensors.parameters = async (runId, version) => {
			const numbers = await parameters.call(tensors, runId, version);
			const { buffer, byteOffset, length } = numbers;
			const bits = new Uint32Array(buffer, byteOffset, length);
			if (version === atVersion && !isFlipped) bits[100] = (bits[100] as number) ^ 1;
			isFlipped ||= version === atVersion;
			return numbers;
		};
		return connection;
	};
}

async function attackTensors(t: ExecutionContext, { spec, item, schema, answer }: TakenItem): Promise<void> {
	const address = spec.tensorsAddress;
	for (const token of [undefined, "another"])
		await t.throwsAsync(connectTensors(address, { workerId: "intruder", token }), { code: "denied" });
	const client = await createClient(ExchangeClientConstructor, address, { token: TOKEN });
	t.teardown(() => client.close());
	const { tensor = new Float32Array(0) } = answer;
	const lengths = { logitsLength: answer.logits.length, tensorLength: tensor.length };
	const fingerprint = await readFingerprint(client, item, schema);
	const right = { protocolVersion: 1, schemaHash: schema.hash, fingerprint, ...lengths };
	const numbers = [...tensor];
	const tried = async (
		ofResult: Partial<WorkResult>,
		changes: AnswerHeaderInput = {},
		{ logits = [...answer.logits], tensor = numbers } = {},
	) => {
		const header = { ...right, result: { ...answer.result, ...ofResult }, ...changes };
		const chunks = [someChunk(0, logits, "logits"), someChunk(0, tensor)];
		const messages = [{ header }, ...chunks, someEnd(logits.length + tensor.length)];
		return (await t.throwsAsync<Refusal>(upload(client, messages))).reason;
	};
	t.is(await tried({}, { protocolVersion: 2 }), "REFUSAL_PROTOCOL_VERSION");
	t.is(await tried({ runId: "0d1f1e9e-over" }), "REFUSAL_UNKNOWN_RUN");
	t.is(await tried({}, { schemaHash: "another" }), "REFUSAL_SCHEMA");
	for (const serial of [item.serial + 1000, 0, 2 ** 53, item.serial - 20])
		t.is(await tried({ serial }), "REFUSAL_NOT_EXPECTED", `${serial}`);
	for (const wrong of [(fingerprint ^ 1) >>> 0, 0])
		t.is(await tried({}, { fingerprint: wrong }), "REFUSAL_DIVERGED", `${wrong}`);
	t.is(await tried({}, { tensorLength: 2 ** 40 }), "REFUSAL_LENGTH");
	t.is(await tried({}, { logitsLength: 2 ** 40 }), "REFUSAL_LENGTH");
	t.is(await tried({}, {}, { tensor: [...numbers, 1] }), "REFUSAL_LENGTH");
	t.is(await tried({}, { logitsLength: 1 }, { logits: [1] }), "REFUSAL_LENGTH");
	t.is(await tried({}, {}, { tensor: numbers.with(-1, Number.NaN) }), "REFUSAL_NOT_FINITE");
	t.is(await tried({}, {}, { logits: answer.logits.map(() => Number.NaN) }), "REFUSAL_NOT_FINITE");
	const { runId, parameterVersion } = item;
	const request = { protocolVersion: 1, runId, parameterVersion: parameterVersion - 1, schemaHash: schema.hash };
	const error = await t.throwsAsync<Refusal>(readAll(client.getState(request)).next());
	t.is(error.reason, "REFUSAL_STALE_VERSION");
	t.is(await sendBytes(client, Buffer.alloc(64, 0xff)), 3);
	t.is(await sendBytes(client, Buffer.alloc(5 << 20)), 8, "larger than any message may be");
}

/** Reads the state and the updates that an item needs, without joining as a worker. */
async function readFingerprint(
	client: ExchangeClient,
	{ runId, parameterVersion }: WorkItem,
	schema: TensorSchema,
): Promise<number> {
	const of = (version: number) => ({ protocolVersion: 1, runId, parameterVersion: version, schemaHash: schema.hash });
	const replica = new RunReplica({
		runId,
		schema,
		source: {
			getState: (wanted, signal) => readAll(client.getState({ ...of(wanted.parameterVersion), ...wanted }), { signal }),
			async *getUpdates({ parameterVersion: from }, signal) {
				for await (const { part } of readAll(client.getUpdates(of(from)), { signal })) if (part) yield part;
			},
			watchUpdates: () => watchNothing(),
		},
	});
	const fingerprint = fingerprintOf(await replica.parameters(parameterVersion));
	replica.close();
	return fingerprint;
}

/** Sends bytes instead of an upload. Returns the status of the answer. */
function sendBytes(client: ExchangeClient, bytes: Buffer): Promise<number | undefined> {
	return new Promise((resolve) => {
		const asIs = (raw: Buffer) => raw;
		const answered = (error: { code: number } | null) => resolve(error?.code);
		const call = client.makeClientStreamRequest("/tailtune.v1.Exchange/PutAnswer", asIs, asIs, answered);
		call.write(bytes);
		call.end();
	});
}

/** Sends three invalid messages, and an answer over NATS, for which there is no stream. */
async function attackNats(t: ExecutionContext, url: string, { runId }: WorkItem): Promise<void> {
	const raw = await connect({ servers: url });
	t.teardown(() => raw.close());
	const js = raw.jetstream();
	const names = new NatsNames();
	const garbage = Buffer.from("no message of ours");
	await js.publish(names.run("rogue"), garbage);
	await js.publish(names.assignment(runId, 0), Buffer.from("no id!"));
	await js.publish(names.worker("rogue"), garbage);
	await t.throwsAsync(js.publish(`tailtune.answers.${runId}.0`, garbage), { code: "503" });
}
