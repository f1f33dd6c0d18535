import { fileURLToPath } from "node:url";
import test from "ava";
import { createMemoryBus } from "../../../../coordinator/cluster/memory-bus.ts";
import { createMemoryTensors } from "../../../../coordinator/exchange/memory-tensors.ts";
import type { WorkerEvent } from "../../../../shared/bus/bus.ts";
import type { Answer } from "../../../../shared/exchange/tensor-exchange.ts";
import { tensorSchema } from "../../../../shared/exchange/tensor-schema.ts";
import type { TailSpec } from "../../../../shared/messages.ts";
import { openModel } from "../../../../shared/model/open-model.ts";
import { parameterLayout } from "../../../../shared/model/parameter-layout.ts";
import { ThreadEngines } from "../../../../worker/engine/thread/thread-engines.ts";
import { startWorker } from "../../../../worker/run/lifecycle.ts";
import { someItem, someRun } from "../../../shared/bus/messages.ts";
import { settle, VirtualClock } from "../../../shared/bus/virtual-clock.ts";
import { COMPUTES_UNTIL_STOPPED } from "./fake-thread-engines.ts";

const timing = { ackWaitMs: 2000, heartbeatLimitMs: 5000 };

function follow<T>(watch: AsyncIterable<T>): T[] {
	const seen: T[] = [];
	const loop = async () => {
		for await (const one of watch) seen.push(one);
	};
	loop().catch((error) => seen.push(error));
	return seen;
}

async function until(isSo: () => boolean): Promise<void> {
	while (!isSo()) await settle();
}

test("a worker in a long computation stays a member and keeps its item", async (t) => {
	const model = await openModel(fileURLToPath(new URL("../../../golden", import.meta.url)));
	const clock = new VirtualClock();
	const bus = createMemoryBus({ timing, clock });
	const tensors = createMemoryTensors();
	const engines = new ThreadEngines(new URL("./fake-thread-engines.ts", import.meta.url));
	const run = someRun({ shards: 1 });
	const layout = parameterLayout(run.tail as TailSpec, model.config);
	// The engine of this test computes until a flag in the parameters is set.
	const parameters = new Float32Array(new SharedArrayBuffer(4 * layout.size));
	const flags = new Int32Array(parameters.buffer);
	flags[0] = COMPUTES_UNTIL_STOPPED;

	const never = new AbortController().signal;
	const events: WorkerEvent[] = follow(bus.watchWorkers(never));
	const answers: Answer[] = [];
	const receiver = {
		expect: () => ({ over: never, version: 0 }),
		accept: (answer: Answer) => void answers.push(answer),
	};
	tensors.openRun(run.runId, tensorSchema(run, model.config), receiver);
	await tensors.publishState(run.runId, 0, { parameters });
	await bus.announce(run);
	await bus.publish(someItem(), never);
	const worker = await startWorker(
		{
			bus,
			connect: async () => ({ tensors, openModel: async () => model, close: async () => {} }),
			engine: { engine: "auto", backend: "auto", threads: 1 },
			featureMemoryBytes: 1e6,
		},
		{
			workerId: "a",
			clock,
			openEngines: engines.openEngines.bind(engines),
			describeEngines: engines.describeEngines.bind(engines),
		},
	);
	await bus.assign({ runId: run.runId, shard: 0, workerId: "a" });

	await until(() => Atomics.load(flags, 0) === 1);
	await clock.advance(10 * timing.heartbeatLimitMs);
	t.deepEqual(
		events.map(({ type }) => type),
		["joined"],
	);
	t.deepEqual(answers, []);

	Atomics.store(flags, 1, 1);
	await until(() => answers.length > 0);
	t.is(answers[0]?.result.failure, null);
	await worker.stop();
	await clock.advance(10 * timing.ackWaitMs);
	t.is(answers.length, 1, "the item was not given out twice");
	await engines.terminate();
});
