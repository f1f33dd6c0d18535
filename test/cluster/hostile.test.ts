import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { connect } from "nats";
import { resolveModel } from "../../coordinator/base-model/resolve-model.ts";
import { readRunResult } from "../../coordinator/run-folder/result-files.ts";
import type { GradientHeaderInput } from "../../proto/gen/tailtune/v1/GradientHeader.ts";
import { NatsNames } from "../../shared/bus/nats/subjects.ts";
import { tensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { type TensorsClient, TensorsClientConstructor } from "../../shared/exchange/tensor-service.ts";
import { type RunSpec, type TailSpec, type WorkItem, workResultCodec } from "../../shared/messages.ts";
import { openModel } from "../../shared/model/open-model.ts";
import { parameterLayout } from "../../shared/model/parameter-layout.ts";
import type { Refusal } from "../../shared/rpc/refusal.ts";
import { createClient } from "../../worker/exchange/client.ts";
import { connectTensors } from "../../worker/exchange/grpc-worker-tensors.ts";
import { writeTexts } from "../cli/tailtune.ts";
import { someChunk, someEnd, upload } from "../coordinator/exchange/raw-uploads.ts";
import { startNatsServer } from "../nats-server.ts";
import { newFolder } from "../new-folder.ts";
import { connectClusterBus, takeItem } from "./intruder.ts";
import { RunProcess, startWorkerProcess, weightsHash } from "./processes.ts";

// Promises 3 and 6 of the design, nothing lost or counted twice and clear refusal: against those who know the way in.

const TOKEN = "the-token-of-this-test";

test.serial(
	"whatever is sent to a run that is no part of it is refused and counted, and the bits are the same",
	async (t) => {
		const folder = await newFolder();
		const data = await writeTexts(120);
		const embedded = join(folder, "embedded");
		t.is(await RunProcess.begin(data, embedded).end(), "");
		const env = { TAILTUNE_TOKEN_FILE: join(folder, "token") };
		await writeFile(env.TAILTUNE_TOKEN_FILE, TOKEN);
		const server = await startNatsServer();
		t.teardown(() => server.stop());
		const worker = await startWorkerProcess(server.url, join(folder, "cache"), { env });
		t.teardown(() => worker.end());
		const out = join(folder, "run");
		const flags = ["--nats", server.url, "--token-file", env.TAILTUNE_TOKEN_FILE];
		const run = RunProcess.begin(data, out, ...flags);
		await run.reach("epoch");
		const bus = await connectClusterBus(server.url);
		t.teardown(() => bus.close());
		// The run waits for this item: what follows happens in mid-step.
		const { item, result, leave } = await takeItem(bus, out, "intruder");
		const [view] = (await bus.listRuns()).filter(({ spec }) => spec.runId === item.runId);
		await attackTensors(t, view?.spec as RunSpec, item);
		await attackNats(t, server.url, item);
		for (const logits of [[1], [...result.logits.slice(1), Number.NaN]]) await bus.answer({ ...result, logits });
		await leave();
		t.is(await run.end(), "");
		t.is(await weightsHash(out), await weightsHash(embedded));
		// A message too large ends its stream in the library: its reader may count it as one without a header.
		const { REFUSAL_ORDER: _, ...refused } = (await readRunResult(out)).refused;
		const least = {
			REFUSAL_TOKEN: 2,
			REFUSAL_PROTOCOL_VERSION: 1,
			REFUSAL_UNKNOWN_RUN: 1,
			REFUSAL_SCHEMA: 1,
			REFUSAL_STALE_VERSION: 1,
			REFUSAL_NOT_EXPECTED: 1,
			REFUSAL_LENGTH: 2,
			REFUSAL_NOT_FINITE: 1,
			REFUSAL_MALFORMED: 1,
			NATS_MESSAGE: 5,
			ANSWER: 2,
		};
		t.deepEqual(Object.keys(refused).sort(), Object.keys(least).sort());
		// More where the worker comes too late with what was asked for again.
		for (const [reason, count] of Object.entries(least)) t.true((refused[reason] ?? 0) >= count, reason);
	},
);

async function attackTensors(t: ExecutionContext, spec: RunSpec, item: WorkItem): Promise<void> {
	const address = spec.tensorsAddress;
	for (const token of [undefined, "another"])
		await t.throwsAsync(connectTensors(address, { workerId: "intruder", token }), { code: "denied" });
	const client = await createClient(TensorsClientConstructor, address, { token: TOKEN });
	t.teardown(() => client.close());
	const { config } = await openModel(await resolveModel("demo"));
	const { hash: schemaHash, gradients } = tensorSchema(spec.modelHash, parameterLayout(spec.tail as TailSpec, config));
	const { runId, kind, parameterVersion, part } = item;
	const right = { protocolVersion: 1, runId, workerId: "intruder", kind, parameterVersion, part, schemaHash };
	const numbers = Array<number>(gradients).fill(1);
	const tried = async (changes: GradientHeaderInput, sent = numbers) => {
		const header = { ...right, byteLength: 4 * gradients, ...changes };
		const error = await t.throwsAsync<Refusal>(upload(client, [{ header }, someChunk(0, sent), someEnd(sent)]));
		return error.reason;
	};
	t.is(await tried({ protocolVersion: 2 }), "REFUSAL_PROTOCOL_VERSION");
	t.is(await tried({ runId: "0d1f1e9e-over" }), "REFUSAL_UNKNOWN_RUN");
	t.is(
		await tried({ schemaHash: tensorSchema("another", parameterLayout(spec.tail as TailSpec, config)).hash }),
		"REFUSAL_SCHEMA",
	);
	t.is(await tried({ parameterVersion: parameterVersion - 1 }), "REFUSAL_STALE_VERSION");
	t.is(await tried({ part: part + 1000 }), "REFUSAL_NOT_EXPECTED");
	t.is(await tried({ byteLength: 2 ** 40 }), "REFUSAL_LENGTH");
	t.is(await tried({}, [...numbers, 1]), "REFUSAL_LENGTH");
	t.is(await tried({}, numbers.with(gradients - 1, Number.NaN)), "REFUSAL_NOT_FINITE");
	t.is(await sendBytes(client, Buffer.alloc(64, 0xff)), 3);
	t.is(await sendBytes(client, Buffer.alloc(5 << 20)), 8, "larger than any message may be");
}

/** The status that such bytes in the place of an upload are answered with. */
function sendBytes(client: TensorsClient, bytes: Buffer): Promise<number | undefined> {
	return new Promise((resolve) => {
		const asIs = (raw: Buffer) => raw;
		const answered = (error: { code: number } | null) => resolve(error?.code);
		const call = client.makeClientStreamRequest("/tailtune.v1.Tensors/PutGradient", asIs, asIs, answered);
		call.write(bytes);
		call.end();
	});
}

/** Five messages that are none of ours, and an answer to a run that isn't there. */
async function attackNats(t: ExecutionContext, url: string, { runId, shard }: WorkItem): Promise<void> {
	const raw = await connect({ servers: url });
	t.teardown(() => raw.close());
	const js = raw.jetstream();
	const names = new NatsNames();
	const garbage = Buffer.from("no message of ours");
	await js.publish(names.answers(runId, shard), garbage);
	const misplaced = workResultCodec.encode({ runId: "another", shard, kind: "WORK_KIND_GRADIENT" });
	await js.publish(names.answers(runId, shard), misplaced);
	await js.publish(names.run("rogue"), garbage);
	await js.publish(names.assignment(runId, 0), Buffer.from("no id!"));
	await js.publish(names.worker("rogue"), garbage);
	await js.publish(names.answers("nowhere", 0), garbage);
	await t.throwsAsync(js.publish(names.answers(runId, shard), Buffer.alloc(2 << 20)), { code: "MAX_PAYLOAD_EXCEEDED" });
}
