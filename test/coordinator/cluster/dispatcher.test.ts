import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import test from "ava";
import { Dispatcher, type DispatcherOptions } from "../../../coordinator/cluster/dispatcher.ts";
import { createMemoryBus } from "../../../coordinator/cluster/memory-bus.ts";
import type { Bus } from "../../../shared/bus/bus.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import type { Answer } from "../../../shared/exchange/tensor-exchange.ts";
import type { NewItem, RunSpec, WorkItem } from "../../../shared/messages.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import { Notices } from "../../../shared/notices.ts";
import type { Refusal, RefusalReason } from "../../../shared/rpc/refusal.ts";
import { someResult, someWorker } from "../../shared/bus/messages.ts";
import { settle, VirtualClock } from "../../shared/bus/virtual-clock.ts";

const tail = plainTail("TRAINABLE_HEAD", 1);
const run: RunSpec = {
	runId: "run",
	modelHash: "",
	tail,
	shards: 1,
	tensorsAddress: "",
	trunkPrecision: "TRUNK_PRECISION_FP32",
	factorTexts: 0,
};

const timing = { ackWaitMs: 5000, heartbeatLimitMs: 5000 };

/** Items are numbered from 1, in the order in which they are asked. */
const item = (shard = 0): NewItem => ({
	runId: "run",
	kind: "WORK_KIND_EVALUATE",
	shard,
	parameterVersion: 0,
	sequences: [{ exampleId: 0, tokens: [1], poolFrom: 0, poolCount: 1, labels: [0] }],
});

const answerTo = (serial: number, logits: number[]): Answer => ({ result: someResult({ serial }), logits });

const notExpected = { code: "protocol", message: /is not waiting for an answer/ };

async function begin(options: DispatcherOptions = {}, spec = run): Promise<{ bus: Bus; dispatcher: Dispatcher }> {
	const bus = createMemoryBus({ timing, clock: new VirtualClock() });
	const dispatcher = new Dispatcher(bus, spec, options);
	await dispatcher.start();
	return { bus, dispatcher };
}

async function gather(answers: AsyncIterable<Answer>): Promise<number[]> {
	const logits: number[] = [];
	for await (const answer of answers) logits.push(...answer.logits);
	return logits;
}

test("results come in the order of the items, not of the answers", async (t) => {
	const { dispatcher } = await begin();
	const results = gather(dispatcher.execute([item(), item(), item()]));
	for (const serial of [3, 1, 2]) dispatcher.accept(answerTo(serial, [serial]));
	t.deepEqual(await results, [1, 2, 3]);
	t.deepEqual(dispatcher.trunk, { texts: 3, tokens: 9 });
});

test("a worker with another engine than the run's gets no shards, also if there is no other worker", async (t) => {
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

test("items are published in order, up to 64 at the same time", async (t) => {
	const { bus, dispatcher } = await begin();
	const published: number[] = [];
	const confirm: (() => void)[] = [];
	bus.publish = ({ serial }) => {
		published.push(serial);
		return new Promise((resolve) => confirm.push(resolve));
	};
	const serials = Array.from({ length: 70 }, (_, i) => i + 1);
	const answers = dispatcher.execute(serials.map((serial) => item(serial % 2)));
	const results = gather(answers);
	await settle();
	t.deepEqual(published, serials.slice(0, 64));
	confirm[40]?.();
	await settle();
	t.deepEqual(published, serials.slice(0, 65));
	for (let i = 0; i < serials.length; i++) {
		confirm[i]?.();
		await settle();
	}
	await answers.published;
	t.deepEqual(published, serials);
	for (const serial of serials) dispatcher.accept(answerTo(serial, [serial]));
	t.deepEqual(await results, serials);
});

test("a second answer to an item and an answer to an unknown item are refused and counted", async (t) => {
	const { dispatcher } = await begin();
	const results = gather(dispatcher.execute([item(), item()]));
	dispatcher.accept(answerTo(1, [10]));
	t.throws(() => dispatcher.accept(answerTo(1, [99])), notExpected);
	t.throws(() => dispatcher.expect(someResult({ serial: 7 }), { logits: 1, tensor: 0 }), notExpected);
	dispatcher.accept(answerTo(2, [11]));
	t.deepEqual(await results, [10, 11]);
	t.deepEqual(dispatcher.ignored, { double: 1, stale: 0, stray: 1 });
});

/** A failure by the worker's fault. */
let faults = 0;
const faultOf = (workerId: string, serial: number): Answer => {
	const failure = { code: "engine", message: `${workerId} can't`, ofWorker: true, fault: ++faults };
	return { result: someResult({ serial, workerId, failure }), logits: [] };
};

test("a shard whose worker fails goes to the worker with the fewest faults", async (t) => {
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
	const results = gather(dispatcher.execute([item()]));
	for (const workerId of ["a", "b", "b", "a"]) {
		dispatcher.accept(faultOf(workerId, 1));
		await settle();
	}
	t.deepEqual(assigned, ["a", "b", "a"]);
	t.deepEqual(left, ["a: a can't", "b: b can't"]);
	dispatcher.accept(answerTo(1, [10]));
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

test("an item that every worker has failed three times ends the run with the reason", async (t) => {
	const { bus, dispatcher } = await begin();
	for (const workerId of ["a", "b"]) await bus.join(someWorker(workerId));
	await settle();
	const results = gather(dispatcher.execute([item()]));
	for (let i = 0; i < 3; i++) dispatcher.accept(faultOf("a", 1));
	for (let i = 0; i < 2; i++) dispatcher.accept(faultOf("b", 1));
	t.notThrows(() => dispatcher.accept(faultOf("b", 1)), "b has a try left");
	await t.throwsAsync(results, { instanceOf: TailtuneError, code: "engine", message: "b can't" });
});

test("within one process the first fault ends the run", async (t) => {
	const bus = createMemoryBus();
	const dispatcher = new Dispatcher(bus, run);
	await dispatcher.start();
	await bus.join(someWorker("a"));
	const results = gather(dispatcher.execute([item()]));
	dispatcher.accept(faultOf("a", 1));
	await t.throwsAsync(results, { code: "engine", message: "a can't" });
});

test("a fault that is reported several times counts once", async (t) => {
	const { bus, dispatcher } = await begin();
	await bus.join(someWorker("a"));
	await settle();
	const results = gather(dispatcher.execute([item()]));
	const fault = faultOf("a", 1);
	for (let i = 0; i < 5; i++) dispatcher.accept(fault);
	dispatcher.accept(answerTo(1, [10]));
	t.deepEqual(await results, [10]);
	t.is(dispatcher.ignored.double, 4);
});

test("a worker whose connection broke gets shards again after half a minute, or when it connects again", async (t) => {
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

test("a delayed assignment doesn't undo a later one", async (t) => {
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

/** A dispatcher on a bus that holds back the first assignment until it is released. */
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

test("the item of a worker without heartbeat goes to another worker at once", async (t) => {
	const clock = new VirtualClock();
	const bus = createMemoryBus({ clock, timing: { ackWaitMs: 60_000, heartbeatLimitMs: 5000 } });
	const dispatcher = new Dispatcher(bus, run, { clock });
	await dispatcher.start();
	await bus.join(someWorker("silent"));
	const beating = await bus.join(someWorker("beating"));
	await settle();
	void gather(dispatcher.execute([item()])).catch(() => {});
	const pull = () => bus.pull("run", 0, new AbortController().signal)[Symbol.asyncIterator]().next();
	await pull();
	for (let i = 0; i < 3; i++) {
		await clock.advance(2000);
		await beating.beat();
	}
	t.is((await pull()).value?.item.serial, 1);
});

test("an answer that doesn't fit its item is refused with the reason, and the item keeps waiting", async (t) => {
	const { dispatcher } = await begin({ gradientLength: ({ length }) => 1 + length });
	const gradient = { ...item(), kind: "WORK_KIND_GRADIENT" } as const;
	const ofTwo = { ...gradient, sequences: [...gradient.sequences, ...gradient.sequences] };
	const asked = [item(), { ...item(), kind: "WORK_KIND_PREPARE" }, gradient, ofTwo] as const;
	const results = gather(dispatcher.execute(asked));
	const tensor = new Float32Array(2);
	const refused: [reason: RefusalReason, answer: Answer][] = [
		["REFUSAL_LENGTH", answerTo(1, [1, 2])],
		["REFUSAL_LENGTH", answerTo(1, [])],
		["REFUSAL_LENGTH", { ...answerTo(1, [1]), tensor }],
		["REFUSAL_NOT_FINITE", answerTo(1, [Number.NaN])],
		["REFUSAL_LENGTH", answerTo(2, [1])],
		["REFUSAL_LENGTH", answerTo(3, [1])],
		["REFUSAL_LENGTH", { ...answerTo(3, [1]), tensor: new Float32Array(3) }],
		["REFUSAL_LENGTH", { ...answerTo(4, [1, 2]), tensor }],
		["REFUSAL_LENGTH", { ...faultOf("worker", 3), logits: [1] }],
	];
	for (const [reason, answer] of refused)
		t.is(t.throws<Refusal>(() => dispatcher.accept(answer)).reason, reason, JSON.stringify(answer));
	t.throws(() => dispatcher.expect(someResult({ serial: 3 }), { logits: 1, tensor: 2 ** 40 }), {
		message: /expected 1 and 2/,
	});
	t.false(dispatcher.expect(someResult({ serial: 3 }), { logits: 1, tensor: 2 }).over.aborted);
	dispatcher.accept(answerTo(1, [7]));
	dispatcher.accept(answerTo(2, []));
	dispatcher.accept({ ...answerTo(3, [8]), tensor });
	dispatcher.accept({ ...answerTo(4, [9, 10]), tensor: new Float32Array(3) });
	t.deepEqual(await results, [7, 8, 9, 10]);
	t.deepEqual(dispatcher.ignored, { double: 0, stale: 0, stray: 0 });
});

test("an unfinished answer is ended when its item is answered, and when the run ends", async (t) => {
	const { dispatcher } = await begin();
	const results = gather(dispatcher.execute([item(), item()]));
	const expectAnswer = (serial: number) => dispatcher.expect(someResult({ serial }), { logits: 1, tensor: 0 }).over;
	const [first, second] = [1, 2].map(expectAnswer);
	dispatcher.accept(answerTo(1, [1]));
	t.deepEqual([first?.aborted, second?.aborted], [true, false]);
	t.is(((first as AbortSignal).reason as Refusal).reason, "REFUSAL_NOT_EXPECTED");
	dispatcher.fail(new TailtuneError("offline", "lost the bus"));
	t.true(second?.aborted);
	await t.throwsAsync(results, { message: "lost the bus" });
});

test("item numbers continue when the same version is asked for again", async (t) => {
	const { bus, dispatcher } = await begin();
	const published: number[] = [];
	bus.publish = async ({ serial }) => {
		published.push(serial);
		dispatcher.accept(answerTo(serial, [serial]));
	};
	t.deepEqual(await gather(dispatcher.execute([item(), item()])), [1, 2]);
	t.deepEqual(await gather(dispatcher.execute([item(), item()])), [3, 4]);
	t.deepEqual(published, [1, 2, 3, 4]);
});

test("a failure is reported with the worker's reason", async (t) => {
	const { dispatcher } = await begin();
	const results = gather(dispatcher.execute([item()]));
	const failure = { code: "diverged", message: "not finite", ofWorker: false, fault: 0 };
	dispatcher.accept({ result: someResult({ failure }), logits: [] });
	await t.throwsAsync(results, { instanceOf: TailtuneError, message: "not finite", code: "diverged" });
});

test("when the end of the worker is reported, waiting items fail, and so do later ones", async (t) => {
	const { dispatcher } = await begin();
	const waiting = gather(dispatcher.execute([item()]));
	await Promise.resolve();
	dispatcher.fail(new TailtuneError("offline", "lost the worker"));
	await t.throwsAsync(waiting, { message: "lost the worker" });
	t.throws(() => dispatcher.execute([item()]), { message: "lost the worker" });
});

test("workers that join and leave are reported, with the shards of each worker", async (t) => {
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
		'a left shut-down: [["b",[0,1,2]]]',
		'b joined: [["b",[0,1,2]]]',
	]);
});

test("the activity of each worker is known: computing with an item, waiting without, suspended, silent or left", async (t) => {
	const clock = { ms: 0 };
	const { bus, dispatcher } = await begin({ now: () => clock.ms, clock: new VirtualClock() }, { ...run, shards: 2 });
	const leaving = await bus.join(someWorker("a"));
	await bus.join(someWorker("b"));
	await settle();
	const states = () => dispatcher.listActivity().map(({ worker, state }) => `${worker.workerId} ${state}`);
	t.deepEqual(states(), ["a waiting", "b waiting"]);
	const [shardOfA = -1] = dispatcher.listActivity()[0]?.shards ?? [];
	const results = gather(dispatcher.execute([item(shardOfA), item(shardOfA)]));
	clock.ms = 500;
	t.deepEqual(states(), ["a computing", "b waiting"]);
	t.is(dispatcher.listActivity()[0]?.computingSeconds, 0.5);
	dispatcher.accept({ result: someResult({ serial: 1, workerId: "a", trunkSequences: 0 }), logits: [1] });
	clock.ms = 800;
	t.like(dispatcher.listActivity()[0], { computingSeconds: 0.8, answers: 1, texts: 1, trunkTexts: 0 });
	dispatcher.accept({ result: someResult({ serial: 2, workerId: "a", trunkSequences: 1 }), logits: [1] });
	await results;
	clock.ms = 2000;
	t.like(dispatcher.listActivity()[0], {
		computingSeconds: 0.8,
		answers: 2,
		texts: 2,
		trunkTexts: 1,
		state: "waiting",
	});
	dispatcher.loseWorker("b");
	t.deepEqual(states(), ["a waiting", "b silent"]);
	dispatcher.connectWorker("b");
	t.deepEqual(states(), ["a waiting", "b waiting"]);
	await leaving.leave();
	await settle();
	t.deepEqual(states(), ["a left", "b waiting"]);
	t.deepEqual(dispatcher.listActivity()[1]?.shards, [0, 1]);
	await dispatcher.stop();
});

test.serial("20,000 items of one version, as in a server, keep no memory", async (t) => {
	setFlagsFromString("--expose-gc");
	const collect = runInNewContext("gc");
	const { bus, dispatcher } = await begin();
	// Each item is answered as soon as it is published, and forgotten.
	bus.publish = async ({ serial }: WorkItem) => dispatcher.accept(answerTo(serial, [1]));
	const ask = async (count: number) => {
		for (let i = 0; i < count; i++) await gather(dispatcher.execute([item()]));
	};
	await ask(2000);
	collect();
	const before = process.memoryUsage().heapUsed;
	await ask(20_000);
	collect();
	const kept = process.memoryUsage().heapUsed - before;
	t.true(kept < 1e6, `${kept} bytes`);
	t.throws(() => dispatcher.accept(answerTo(12_345, [1])), notExpected);
	t.deepEqual(dispatcher.ignored, { double: 1, stale: 0, stray: 0 });
});

test("a failed run doesn't wait until an item is published", async (t) => {
	const { bus, dispatcher } = await begin();
	bus.publish = () => new Promise<void>(() => {});
	const results = gather(dispatcher.execute([item()]));
	await settle();
	dispatcher.fail(new TailtuneError("interrupted", "stopped"));
	await t.throwsAsync(results, { code: "interrupted", message: "stopped" });
});
