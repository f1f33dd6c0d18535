import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import test from "ava";
import { Dispatcher, type DispatcherOptions } from "../../../coordinator/cluster/dispatcher.ts";
import { createMemoryBus } from "../../../coordinator/cluster/memory-bus.ts";
import type { Bus } from "../../../shared/bus/bus.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { itemKey, type RunSpec, type WorkItem, type WorkResult } from "../../../shared/messages.ts";
import { Notices } from "../../../shared/notices.ts";
import { someWorker } from "../../shared/bus/messages.ts";
import { settle, VirtualClock } from "../../shared/bus/virtual-clock.ts";

const tail = { trainable: "TRAINABLE_HEAD", classes: 1, causal: true, loraRank: 0, loraScale: 0 } as const;
const run: RunSpec = {
	runId: "run",
	modelHash: "",
	tail,
	shards: 1,
	tensorsAddress: "",
	trunkPrecision: "TRUNK_PRECISION_FP32",
};

const timing = { ackWaitMs: 5000, heartbeatLimitMs: 5000 };

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

async function begin(options: DispatcherOptions = {}, spec = run): Promise<{ bus: Bus; dispatcher: Dispatcher }> {
	const bus = createMemoryBus({ timing, clock: new VirtualClock() });
	const dispatcher = new Dispatcher(bus, spec, options);
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

test("a worker with another engine than the run's gets no shards, also when nobody else is there", async (t) => {
	for (const mixedEngines of [false, true]) {
		const { bus, dispatcher } = await begin({ mixedEngines });
		const first = await bus.join(someWorker("first"));
		await settle();
		await bus.join({ ...someWorker("other"), version: "2.0" });
		await settle();
		t.deepEqual(dispatcher.holders, ["first"]);
		await first.leave();
		await settle();
		t.not(dispatcher.holders[0], "first");
		t.is(dispatcher.holders[0] === "other", mixedEngines);
		await dispatcher.stop();
	}
});

test("items of several shards are published at the same time, those of a shard in order", async (t) => {
	const { bus, dispatcher } = await begin();
	const published: string[] = [];
	const confirm = new Map<string, () => void>();
	bus.publish = ({ part, shard }) => {
		published.push(`${shard}/${part}`);
		return new Promise((resolve) => confirm.set(`${shard}/${part}`, resolve));
	};
	const items = [0, 1, 2, 3].map((part) => ({ ...item(part), shard: part % 2 }));
	const results = gather(dispatcher.execute(items));
	await settle();
	t.deepEqual(published, ["0/0", "1/1"]);
	confirm.get("1/1")?.();
	await settle();
	t.deepEqual(published, ["0/0", "1/1", "1/3"]);
	confirm.get("0/0")?.();
	confirm.get("1/3")?.();
	await settle();
	confirm.get("0/2")?.();
	for (const each of items) await bus.answer(resultOf(each, [each.part]));
	t.deepEqual(await results, [0, 1, 2, 3]);
});

test("a second answer to an item, and one that nobody asked for, change nothing and are counted", async (t) => {
	const { bus, dispatcher } = await begin();
	const results = gather(dispatcher.execute([item(0), item(1)]));
	await bus.answer(resultOf(item(0), [10]));
	await bus.answer(resultOf(item(0), [99]));
	await bus.answer(resultOf(item(7), [77]));
	await bus.answer(resultOf(item(1), [11]));
	t.deepEqual(await results, [10, 11]);
	t.deepEqual(dispatcher.ignored, { double: 1, stale: 0, stray: 1 });
});

/** A failure that is the worker's own. */
let faults = 0;
const faultOf = (workerId: string, part: number, code = "engine"): WorkResult => ({
	...resultOf(item(part), []),
	workerId,
	failure: { code, message: `${workerId} can't`, ofWorker: true, fault: ++faults },
});

test("a shard whose worker fails goes to the one that has failed least", async (t) => {
	const assigned: string[] = [];
	const left: string[] = [];
	const told: string[] = [];
	const onWorkers: DispatcherOptions["onWorkers"] = (change) => {
		if (change.type === "left") left.push(`${change.worker.workerId}: ${change.detail}`);
	};
	const notices = new Notices(({ kind, state, text }) => void told.push(`${kind} ${state}: ${text.slice(-7)}`));
	const { bus, dispatcher } = await begin({ onWorkers, notices });
	void (async () => {
		for await (const { workerId } of bus.watchAssignments("run", new AbortController().signal)) assigned.push(workerId);
	})();
	for (const workerId of ["a", "b"]) await bus.join(someWorker(workerId));
	await settle();
	const results = gather(dispatcher.execute([item(0)]));
	for (const workerId of ["a", "b", "b", "a"]) {
		await bus.answer(faultOf(workerId, 0));
		await settle();
	}
	t.deepEqual(assigned, ["a", "b", "a"]);
	t.deepEqual(left, ["a: a can't", "b: b can't"]);
	await bus.answer(resultOf(item(0), [10]));
	t.deepEqual(await results, [10]);
	const retried = [
		"begun: a can't",
		"begun: b can't",
		"over: a can't",
		"begun: a can't",
		"over: b can't",
		"over: a can't",
	];
	t.deepEqual(
		told,
		retried.map((line) => `retrying ${line}`),
	);
	t.false(notices.isHeldUp);
});

test("an item at which every worker has failed three times ends the run with the reason", async (t) => {
	const { bus, dispatcher } = await begin();
	for (const workerId of ["a", "b"]) await bus.join(someWorker(workerId));
	await settle();
	const results = gather(dispatcher.execute([item(0)]));
	for (let i = 0; i < 3; i++) await bus.answer(faultOf("a", 0));
	for (let i = 0; i < 2; i++) await bus.answer(faultOf("b", 0));
	await settle();
	t.true(dispatcher.isExpected("WORK_KIND_EVALUATE/0/0"), "b has a try left");
	await bus.answer(faultOf("b", 0));
	await t.throwsAsync(results, { instanceOf: TailtuneError, code: "engine", message: "b can't" });
});

test("within one process the first fault ends the run", async (t) => {
	const bus = createMemoryBus();
	const dispatcher = new Dispatcher(bus, run);
	await dispatcher.start();
	await bus.join(someWorker("a"));
	const results = gather(dispatcher.execute([item(0)]));
	await bus.answer(faultOf("a", 0));
	await t.throwsAsync(results, { code: "engine", message: "a can't" });
});

test("a fault that is told several times counts once", async (t) => {
	const { bus, dispatcher } = await begin();
	await bus.join(someWorker("a"));
	await settle();
	const results = gather(dispatcher.execute([item(0)]));
	const fault = faultOf("a", 0);
	for (let i = 0; i < 5; i++) await bus.answer(fault);
	await bus.answer(resultOf(item(0), [10]));
	t.deepEqual(await results, [10]);
	t.is(dispatcher.ignored.double, 4);
});

test("a worker that can't reach the coordinator has more tries: it comes back", async (t) => {
	const { bus, dispatcher } = await begin();
	await bus.join(someWorker("a"));
	await settle();
	const results = gather(dispatcher.execute([item(0)]));
	for (let i = 0; i < 11; i++) await bus.answer(faultOf("a", 0, "offline"));
	await bus.answer(resultOf(item(0), [10]));
	t.deepEqual(await results, [10]);
});

test("a worker whose connection broke has shards again after half a minute, or when it stands", async (t) => {
	const clock = new VirtualClock();
	let shards = "";
	const onWorkers: DispatcherOptions["onWorkers"] = (change) => {
		shards = JSON.stringify([...change.shards]);
	};
	const { bus, dispatcher } = await begin({ clock, onWorkers }, { ...run, shards: 2 });
	for (const workerId of ["a", "b"]) await bus.join(someWorker(workerId));
	for (const comeBack of [() => clock.advance(30_000), () => dispatcher.connectWorker("a")]) {
		await settle();
		t.is(shards, '[["a",[0]],["b",[1]]]');
		dispatcher.loseWorker("a");
		t.is(shards, '[["b",[0,1]]]');
		await comeBack();
		dispatcher.loseWorker("b");
		dispatcher.connectWorker("b");
		t.is(shards, '[["a",[0]],["b",[1]]]');
	}
	await dispatcher.stop();
	t.is(clock.pending, 0);
});

test("an assignment that was held up doesn't undo a later one", async (t) => {
	const { bus, dispatcher, letGo } = await beginHeldUp();
	for (const workerId of ["a", "b"]) await bus.join(someWorker(workerId));
	await settle();
	dispatcher.loseWorker("a");
	await settle();
	letGo();
	await settle();
	for await (const { workerId } of bus.watchAssignments("run", new AbortController().signal)) {
		t.is(workerId, "b");
		break;
	}
});

/** On a bus where the first assignment waits to be let go. */
async function beginHeldUp() {
	const bus = createMemoryBus();
	let letGo = () => {};
	let held: Promise<void> | undefined = new Promise((resolve) => {
		letGo = resolve;
	});
	const assign = bus.assign.bind(bus);
	bus.assign = async (assignment) => {
		const before = held;
		held = undefined;
		await before;
		await assign(assignment);
	};
	const dispatcher = new Dispatcher(bus, run);
	await dispatcher.start();
	return { bus, dispatcher, letGo: () => letGo() };
}

test("what a silent worker has in hand runs elsewhere at once", async (t) => {
	const clock = new VirtualClock();
	const bus = createMemoryBus({ clock, timing: { ackWaitMs: 60_000, heartbeatLimitMs: 5000 } });
	const dispatcher = new Dispatcher(bus, run, { clock });
	await dispatcher.start();
	await bus.join(someWorker("silent"));
	const beating = await bus.join(someWorker("beating"));
	await settle();
	void gather(dispatcher.execute([item(0)])).catch(() => {});
	const pull = () => bus.pull("run", 0, new AbortController().signal)[Symbol.asyncIterator]().next();
	await pull();
	for (let i = 0; i < 3; i++) {
		await clock.advance(2000);
		await beating.beat();
	}
	t.is((await pull()).value?.item.part, 0);
});

test("an answer of another shape, or with NaN, is refused and asked for again; when nobody does better the run fails", async (t) => {
	const { bus, dispatcher } = await begin();
	await bus.join(someWorker("worker"));
	const result = gather(dispatcher.execute([item(0)]));
	await bus.answer(resultOf(item(0), [1, 2]));
	await bus.answer(resultOf(item(0), [Number.NaN]));
	const published: number[] = [];
	for await (const { item: found, ack } of bus.pull("run", 0, AbortSignal.timeout(60_000))) {
		published.push(found.part);
		await ack();
		if (published.length === 3) break;
	}
	await bus.answer(resultOf(item(0), [7]));
	t.deepEqual(await result, [7]);
	t.is(dispatcher.refusedAnswers, 2);
	const never = gather(dispatcher.execute([item(1)]));
	for (let i = 0; i < 3; i++) await bus.answer(resultOf(item(1), []));
	await t.throwsAsync(never, { code: "protocol", message: /worker answers with 0 numbers that don't fit/ });
});

test("an answer whose gradient was not handed in is refused and asked for again", async (t) => {
	const handedIn = new Set<string>();
	const { bus, dispatcher } = await begin({ hasGradient: (key) => handedIn.has(key) });
	await bus.join(someWorker("worker"));
	const asked: WorkItem = { ...item(0), kind: "WORK_KIND_GRADIENT" };
	const result = gather(dispatcher.execute([asked]));
	await bus.answer(resultOf(asked, [1]));
	await settle();
	t.is(dispatcher.refusedAnswers, 1);
	handedIn.add(itemKey(asked));
	await bus.answer(resultOf(asked, [7]));
	t.deepEqual(await result, [7]);
});

test("a failure is told with the worker's reason", async (t) => {
	const { bus, dispatcher } = await begin();
	const results = gather(dispatcher.execute([item(0)]));
	await bus.answer({
		...resultOf(item(0), []),
		failure: { code: "diverged", message: "not finite", ofWorker: false, fault: 0 },
	});
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

test("workers that join and leave are told with the shards of each", async (t) => {
	const told: string[] = [];
	const onWorkers: DispatcherOptions["onWorkers"] = (change) => {
		const reason = change.type === "left" ? ` ${change.reason}` : "";
		told.push(`${change.worker.workerId} ${change.type}${reason}: ${JSON.stringify([...change.shards])}`);
	};
	const { bus, dispatcher } = await begin({ onWorkers }, { ...run, shards: 3 });
	const a = await bus.join(someWorker("a"));
	await bus.join(someWorker("b"));
	await settle();
	dispatcher.loseWorker("b");
	await settle();
	await a.leave();
	await settle();
	t.deepEqual(told, [
		'a joined: [["a",[0,1,2]]]',
		'b joined: [["a",[0,1]],["b",[2]]]',
		'b left disconnected: [["a",[0,1,2]]]',
		'a left good-bye: [["b",[0,1,2]]]',
		'b joined: [["b",[0,1,2]]]',
	]);
});

test.serial("20,000 items of one version, as a server asks for, leave nothing in memory", async (t) => {
	setFlagsFromString("--expose-gc");
	const collect = runInNewContext("gc");
	const { bus, dispatcher } = await begin();
	// Each item is answered as soon as it is published, and forgotten.
	bus.publish = (asked: WorkItem) => bus.answer(resultOf(asked, [asked.part]));
	const askUpTo = async (end: number, from: number) => {
		for (let part = from; part < end; part++) await gather(dispatcher.execute([item(part)]));
	};
	await askUpTo(2000, 0);
	collect();
	const before = process.memoryUsage().heapUsed;
	await askUpTo(22_000, 2000);
	collect();
	const kept = process.memoryUsage().heapUsed - before;
	t.true(kept < 1e6, `${kept} bytes`);
	await bus.answer(resultOf(item(12_345), [0]));
	await settle();
	t.deepEqual(dispatcher.ignored, { double: 1, stale: 0, stray: 0 });
});

test("a run that fails doesn't wait for an item to be published", async (t) => {
	const { bus, dispatcher } = await begin();
	bus.publish = () => new Promise<void>(() => {});
	const results = gather(dispatcher.execute([item(0)]));
	await settle();
	dispatcher.fail(new TailtuneError("interrupted", "stopped"));
	await t.throwsAsync(results, { code: "interrupted", message: "stopped" });
});
