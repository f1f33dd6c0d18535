import test from "ava";
import { Dispatcher } from "../../../coordinator/run/dispatcher.ts";
import type { Bus } from "../../../shared/bus/bus.ts";
import { createMemoryBus } from "../../../shared/bus/memory-bus.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import type { RunSpec, WorkItem, WorkResult } from "../../../shared/messages.ts";

const tail = { trainable: "TRAINABLE_HEAD", classes: 2, causal: true, loraRank: 0, loraScale: 0 } as const;
const run: RunSpec = {
	runId: "run",
	modelHash: "",
	tail,
	shards: 1,
	tensorsAddress: "",
	trunkPrecision: "TRUNK_PRECISION_FP32",
};

const item = (part: number): WorkItem => ({
	runId: "run",
	kind: "WORK_KIND_EVALUATE",
	step: 0,
	part,
	shard: 0,
	parameterVersion: 0,
	sequences: [{ exampleId: part, tokens: [1], poolFrom: 0, poolCount: 1, label: 0 }],
});

const resultOf = ({ sequences, ...name }: WorkItem, logits: number[]): WorkResult => ({
	...name,
	workerId: "worker",
	logits,
	trunkSequences: 1,
	trunkTokens: 3,
	trunkEngine: "onnx cpu",
	tailEngine: "tfjs wasm",
	failure: null,
});

async function begin(): Promise<{ bus: Bus; dispatcher: Dispatcher }> {
	const bus = createMemoryBus();
	const dispatcher = new Dispatcher(bus, run);
	await dispatcher.start();
	return { bus, dispatcher };
}

async function gather(results: AsyncIterable<WorkResult>): Promise<number[]> {
	const logits: number[] = [];
	for await (const result of results) logits.push(...result.logits);
	return logits;
}

test("results come in the order asked for, whatever the order of the answers", async (t) => {
	const { bus, dispatcher } = await begin();
	const items = [item(0), item(1), item(2)];
	const results = gather(dispatcher.execute(items));
	for (const answered of [2, 0, 1]) await bus.answer(resultOf(item(answered), [answered]));
	t.deepEqual(await results, [0, 1, 2]);
	t.deepEqual(dispatcher.trunk, { texts: 3, tokens: 9 });
});

test("a second answer to an item, and one that nobody asked for, change nothing and are counted", async (t) => {
	const { bus, dispatcher } = await begin();
	const results = gather(dispatcher.execute([item(0), item(1)]));
	await bus.answer(resultOf(item(0), [10]));
	await bus.answer(resultOf(item(0), [99]));
	await bus.answer(resultOf(item(7), [77]));
	await bus.answer(resultOf(item(1), [11]));
	t.deepEqual(await results, [10, 11]);
	t.is(dispatcher.ignoredAnswers, 2);
});

test("a failure is told with the worker's reason", async (t) => {
	const { bus, dispatcher } = await begin();
	const results = gather(dispatcher.execute([item(0)]));
	await bus.answer({ ...resultOf(item(0), []), failure: { code: "diverged", message: "not finite" } });
	await t.throwsAsync(results, { instanceOf: TailtuneError, message: "not finite", code: "diverged" });
});

test("what waits fails when the worker's end is reported, and so does what is asked later", async (t) => {
	const { dispatcher } = await begin();
	const waiting = gather(dispatcher.execute([item(0)]));
	await Promise.resolve();
	dispatcher.fail(new TailtuneError("offline", "lost the worker"));
	await t.throwsAsync(waiting, { message: "lost the worker" });
	await t.throwsAsync(gather(dispatcher.execute([item(1)])), { message: "lost the worker" });
});
