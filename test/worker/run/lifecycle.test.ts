import test from "ava";
import { createMemoryBus } from "../../../coordinator/cluster/memory-bus.ts";
import { createMemoryTensors } from "../../../coordinator/exchange/memory-tensors.ts";
import type { Bus, WorkerEvent } from "../../../shared/bus/bus.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import type { Answer } from "../../../shared/exchange/tensor-exchange.ts";
import { tensorSchema } from "../../../shared/exchange/tensor-schema.ts";
import type { WorkItem, WorkResult } from "../../../shared/messages.ts";
import { Notices } from "../../../shared/notices.ts";
import { Refusal } from "../../../shared/rpc/refusal.ts";
import { startWorker } from "../../../worker/run/lifecycle.ts";
import { someItem, someRun } from "../../shared/bus/messages.ts";
import { settle, VirtualClock } from "../../shared/bus/virtual-clock.ts";
import { FakeTail, FakeTrunk, fakeModel, info, lastBlockRun, layoutOf, someSequence } from "./fake-engines.ts";

const timing = { ackWaitMs: 2000, heartbeatLimitMs: 5000 };

/** A bus in virtual time, and the coordinator's side of it. */
class Cluster {
	readonly clock = new VirtualClock();
	readonly bus: Bus = createMemoryBus({ timing, clock: this.clock });
	readonly tensors = createMemoryTensors();
	readonly events: WorkerEvent[] = [];
	readonly answers: (WorkResult & Omit<Answer, "result">)[] = [];
	readonly notices: string[] = [];
	readonly #never = new AbortController().signal;

	constructor() {
		this.#follow(this.bus.watchWorkers(this.#never), this.events);
	}

	async announce(runId = "run"): Promise<void> {
		const never = this.#never;
		this.tensors.openRun(runId, tensorSchema(lastBlockRun, fakeModel.config), {
			expect: () => ({ over: never, version: 0 }),
			accept: ({ result, ...numbers }) => void this.answers.push({ ...result, ...numbers }),
		});
		await this.tensors.publishState(runId, 0, { parameters: new Float32Array(layoutOf(lastBlockRun).size).fill(0.5) });
		await this.bus.announce(someRun({ runId }));
	}

	publish(item: WorkItem): Promise<void> {
		return this.bus.publish(item, new AbortController().signal);
	}

	async assign(shards: readonly string[], runId = "run"): Promise<void> {
		for (const [shard, workerId] of shards.entries()) await this.bus.assign({ runId, shard, workerId });
	}

	async startWorker(
		workerId: string,
		openModel = async () => fakeModel,
		close = async () => {},
		reach: (runId: string, signal: AbortSignal) => Promise<void> = async () => {},
	) {
		const trunk = new FakeTrunk();
		const tail = new FakeTail();
		let opened = 0;
		const openEngines = async () => {
			opened++;
			return { trunk, tail };
		};
		const worker = await startWorker(
			{
				bus: this.bus,
				connect: async ({ runId }, _, signal) => {
					await reach(runId, signal);
					return { tensors: this.tensors, openModel, close };
				},
				engine: { engine: "auto", backend: "auto", threads: 1 },
				featureMemoryBytes: 1000,
				notices: new Notices((notice) => this.notices.push(`${notice.state}: ${notice.text}`)),
			},
			{ workerId, clock: this.clock, openEngines, describeEngines: async () => ({ trunk: info, tail: info }) },
		);
		return { worker, trunk, tail, opened: () => opened };
	}

	#follow<T>(watch: AsyncIterable<T>, into: T[]): void {
		const loop = async () => {
			for await (const one of watch) into.push(one);
		};
		loop().catch((error) => into.push(error));
	}
}

/** An item that is identified by its only token. */
function itemOf(shard: number, serial: number, fields: Partial<WorkItem> = {}): WorkItem {
	return someItem({ shard, serial, sequences: [someSequence([serial])], ...fields });
}

/** Counts the items that workers request before their loop does. */
function countRequests(bus: Bus): () => number {
	let requests = 0;
	const pull = bus.pull.bind(bus);
	bus.pull = async function* (...args) {
		for await (const delivery of pull(...args)) yield { ...delivery, requestNext: () => void requests++ };
	};
	return () => requests;
}

/** Blocks a tail until it is released. */
function holdUp(tail: FakeTail): () => void {
	let letGo = () => {};
	const held = new Promise<void>((resolve) => {
		letGo = resolve;
	});
	tail.fault = (logits) => held.then(() => logits);
	return letGo;
}

function partsOf(answers: readonly WorkResult[]): number[] {
	return answers.map(({ serial }) => serial).sort((a, b) => a - b);
}

const many = Array.from({ length: 20 }, (_, serial) => itemOf(serial % 2, serial));

for (const workers of [["a"], ["a", "b", "c"]]) {
	test(`every item is answered once, with the same numbers, by ${workers.length} workers`, async (t) => {
		const cluster = new Cluster();
		await cluster.announce();
		for (const item of many.slice(0, 10)) await cluster.publish(item);
		for (const id of workers) await cluster.startWorker(id);
		await cluster.assign([workers[0] ?? "", workers.at(-1) ?? ""]);
		await settle();
		for (const item of many.slice(10)) await cluster.publish(item);
		await settle();
		t.deepEqual(
			partsOf(cluster.answers),
			many.map(({ serial }) => serial),
		);
		for (const { serial, failure, logits, tensor, workerId } of cluster.answers) {
			t.is(failure, null);
			t.deepEqual(logits, [0.5, 300 * serial + 0.375]);
			t.is(workerId, (serial % 2 === 0 ? workers[0] : workers.at(-1)) ?? "nobody");
			t.is(tensor?.length, layoutOf(lastBlockRun).trainedSize);
		}
	});
}

test("the shards of a worker take turns, one item at a time", async (t) => {
	const cluster = new Cluster();
	await cluster.announce();
	const { tail } = await cluster.startWorker("a");
	const letGo = holdUp(tail);
	for (const item of [0, 2, 4, 1, 3, 5].map((serial) => itemOf(serial % 2, serial))) await cluster.publish(item);
	await cluster.assign(["a", "a"]);
	await settle();
	t.is(tail.inputs.length, 1);
	letGo();
	await settle();
	t.deepEqual(
		tail.inputs.map(({ tokens }) => tokens[0]),
		[0, 1, 2, 3, 4, 5],
	);
});

test("a coordinator that hangs delays its own run only, until the run is retired", async (t) => {
	const cluster = new Cluster();
	const hangs = (runId: string, signal: AbortSignal) =>
		new Promise<void>((resolve, reject) => {
			if (runId === "run") resolve();
			else signal.addEventListener("abort", () => reject(signal.reason));
		});
	const { worker } = await cluster.startWorker("a", undefined, undefined, hangs);
	for (const runId of ["hangs", "run"]) {
		await cluster.announce(runId);
		await cluster.assign(["a", "a"], runId);
		for (const shard of [0, 1]) await cluster.publish(itemOf(shard, shard, { runId }));
		await settle();
	}
	t.deepEqual(
		cluster.answers.map(({ runId, serial, failure }) => [runId, serial, failure]),
		[
			["run", 0, null],
			["run", 1, null],
		],
	);
	await cluster.bus.retire("hangs");
	await cluster.announce("hangs too");
	await cluster.assign(["a", "a"], "hangs too");
	await cluster.publish(itemOf(0, 0, { runId: "hangs too" }));
	await settle();
	await worker.stop();
	t.is(cluster.clock.pending, 0, "it waits for nothing any more");
});

test("a worker that stops finishes its current item, returns the others and leaves the registry", async (t) => {
	const cluster = new Cluster();
	await cluster.announce();
	const leaver = await cluster.startWorker("leaver");
	await cluster.startWorker("heir");
	const letGo = holdUp(leaver.tail);
	for (const serial of [0, 1, 2, 3]) await cluster.publish(itemOf(serial % 2, serial));
	await cluster.assign(["leaver", "leaver"]);
	await settle();
	const stopping = leaver.worker.stop();
	await cluster.assign(["heir", "heir"]);
	await settle();
	t.deepEqual(partsOf(cluster.answers), [1, 3], "only the shard of the item in hand waits for it");
	letGo();
	await stopping;
	await leaver.worker.stopped;
	await settle();
	t.deepEqual(cluster.answers.map(({ serial, workerId }) => `${serial} ${workerId}`).sort(), [
		"0 leaver",
		"1 heir",
		"2 heir",
		"3 heir",
	]);
	t.deepEqual(cluster.events.at(-1), { type: "left", workerId: "leaver", reason: "shut-down" });
	t.true(leaver.tail.isDisposed && leaver.trunk.isDisposed);
});

test("a shard assigned to another worker is served by it from the next item on", async (t) => {
	const cluster = new Cluster();
	await cluster.announce();
	for (const id of ["a", "b"]) await cluster.startWorker(id);
	for (const [workerId, serial] of [
		["a", 0],
		["b", 1],
		["a", 2],
	] as const) {
		await cluster.assign([workerId]);
		await settle();
		await cluster.publish(itemOf(0, serial));
		await settle();
	}
	t.deepEqual(
		cluster.answers.map(({ serial, workerId }) => `${serial}${workerId}`),
		["0a", "1b", "2a"],
	);
});

test("a bad item is answered with a failure, and the worker continues", async (t) => {
	const cluster = new Cluster();
	await cluster.announce();
	await cluster.startWorker("a");
	await cluster.assign(["a"]);
	await cluster.publish(itemOf(0, 0, { sequences: [] }));
	await cluster.publish(itemOf(0, 1));
	await settle();
	t.deepEqual(
		cluster.answers.map(({ failure }) => failure?.code),
		["protocol", undefined],
	);
});

test("a worker that can't get the model reports it, keeps its items and retries one, waiting twice as long each time", async (t) => {
	const cluster = new Cluster();
	await cluster.announce();
	let isThere = false;
	const openModel = async () => {
		if (isThere) return fakeModel;
		throw new TailtuneError("not-found", "no such weights");
	};
	await cluster.startWorker("a", openModel);
	await cluster.assign(["a", "a"]);
	for (const serial of [0, 1]) await cluster.publish(itemOf(serial, serial));
	await settle();
	const failure = (fault: number) => ({ code: "not-found", message: "no such weights", ofWorker: true, fault });
	const failures = () => cluster.answers.map((answer) => answer.failure);
	t.deepEqual(failures(), [failure(1)]);
	await cluster.clock.advance(500);
	t.deepEqual(failures(), [failure(1), failure(2)]);
	await cluster.clock.advance(999);
	t.is(cluster.answers.length, 2);
	isThere = true;
	await cluster.clock.advance(1);
	t.deepEqual(failures(), [failure(1), failure(2), null, null]);
	const notice = "retrying an item of run run: no such weights";
	t.deepEqual(cluster.notices, [`begun: ${notice}`, `over: ${notice}`]);
});

test("a worker with a fault returns the item as soon as its shard is assigned to another worker", async (t) => {
	const cluster = new Cluster();
	await cluster.announce();
	await cluster.startWorker("lonely", () => Promise.reject(new TailtuneError("offline", "nobody answers")));
	await cluster.startWorker("heir");
	await cluster.assign(["lonely"]);
	await cluster.publish(itemOf(0, 0));
	await settle();
	await cluster.assign(["heir"]);
	await settle();
	t.deepEqual(
		cluster.answers.map(({ workerId, failure }) => `${workerId} ${failure?.code}`),
		["heir undefined"],
	);
});

test("a worker that can't reach the coordinator sends no heartbeats for its item until it can", async (t) => {
	const cluster = new Cluster();
	await cluster.announce();
	let isReachable = false;
	const reach = async () => {
		if (!isReachable) throw new TailtuneError("offline", "nobody answers");
	};
	const { tail } = await cluster.startWorker("a", undefined, undefined, reach);
	const letGo = holdUp(tail);
	await cluster.assign(["a"]);
	await cluster.publish(itemOf(0, 0));
	await cluster.clock.advance(5 * timing.ackWaitMs);
	t.is(await cluster.bus.isTaken("run", 0), false);
	isReachable = true;
	await cluster.clock.advance(60_000);
	t.is(tail.inputs.length, 1, "it computes");
	letGo();
	await cluster.clock.advance(60_000);
	t.deepEqual(
		cluster.answers.map(({ serial, failure }) => [serial, failure]),
		[[0, null]],
	);
});

/** Lets a worker do items 1 and 2; its first answer fails after it was counted, or is refused. */
async function answerTwo(first: "cut off" | "refused") {
	const cluster = new Cluster();
	await cluster.announce();
	const put = cluster.tensors.putAnswer.bind(cluster.tensors);
	let puts = 0;
	cluster.tensors.putAnswer = async (answer) => {
		puts++;
		if (puts === 1 && first === "refused") throw new TailtuneError("protocol", "2 logits, expected 3");
		// A repeated answer is refused because its item isn't waiting: the exchange then resolves.
		if (!cluster.answers.some(({ serial }) => serial === answer.result.serial)) await put(answer);
		if (puts === 1) throw new TailtuneError("offline", "broken");
	};
	await cluster.startWorker("a");
	await cluster.assign(["a"]);
	for (const serial of [1, 2]) await cluster.publish(itemOf(0, serial));
	await cluster.clock.advance(60_000);
	return { puts, answers: cluster.answers.map(({ serial, failure }) => [serial, failure?.message]) };
}

test("an answer whose confirmation is lost is sent again, and the item is acknowledged", async (t) => {
	t.deepEqual(await answerTwo("cut off"), {
		puts: 3,
		answers: [
			[1, undefined],
			[2, undefined],
		],
	});
});

test("an answer that the coordinator refuses is followed by a failure that says why", async (t) => {
	t.deepEqual(await answerTwo("refused"), {
		puts: 3,
		answers: [
			[1, "2 logits, expected 3"],
			[2, undefined],
		],
	});
});

test("after a fault no item is requested; after one of the engine the next attempt uses a new engine, after a lost coordinator the same one", async (t) => {
	for (const [code, sessions] of [
		["engine", 2],
		["offline", 1],
	] as const) {
		const cluster = new Cluster();
		await cluster.announce();
		const countRequested = countRequests(cluster.bus);
		const { tail, opened } = await cluster.startWorker("a");
		tail.fault = () => Promise.reject(new TailtuneError(code, "not now"));
		await cluster.assign(["a"]);
		await cluster.publish(itemOf(0, 0));
		await settle();
		t.is(countRequested(), 0);
		await cluster.clock.advance(500);
		t.is(cluster.answers.at(-1)?.failure, null);
		t.is(opened(), sessions);
		t.is(countRequested(), 1);
	}
});

test("a worker whose parameters differ reports it, loads them again and keeps its engines and features", async (t) => {
	const cluster = new Cluster();
	await cluster.announce();
	const put = cluster.tensors.putAnswer.bind(cluster.tensors);
	const problem = "its parameters differ";
	cluster.tensors.putAnswer = async () => {
		cluster.tensors.putAnswer = put;
		// The exchange has read the same version into another array.
		const parameters = new Float32Array(layoutOf(lastBlockRun).size).fill(0.75);
		await cluster.tensors.publishState("run", 0, { parameters });
		throw new Refusal("REFUSAL_DIVERGED", problem);
	};
	const { opened, tail, trunk } = await cluster.startWorker("a");
	await cluster.assign(["a"]);
	await cluster.publish(itemOf(0, 0));
	await cluster.clock.advance(500);
	t.deepEqual(
		cluster.answers.map(({ failure, logits }) => [failure, logits[0]]),
		[
			[{ code: "checksum", message: problem, ofWorker: true, fault: 1 }, undefined],
			[null, 0.75],
		],
	);
	t.deepEqual([opened(), tail.loads, trunk.calls.length], [1, [0.5, 0.75], 1]);
	const notice = `retrying an item of run run: ${problem}`;
	t.deepEqual(cluster.notices, [`begun: ${notice}`, `over: ${notice}`]);
});

test("engines are opened at the first item of a run and closed when it is retired", async (t) => {
	const cluster = new Cluster();
	await cluster.announce();
	const { opened, tail, trunk } = await cluster.startWorker("a");
	await cluster.assign(["a", "a"]);
	await settle();
	t.is(opened(), 0);
	for (const item of many) await cluster.publish(item);
	await settle();
	t.is(opened(), 1);
	await cluster.bus.retire("run");
	await settle();
	t.true(tail.isDisposed && trunk.isDisposed);
});

test("several runs are served at the same time, each with its own engine, and so is a later run with the same id", async (t) => {
	const cluster = new Cluster();
	const { opened } = await cluster.startWorker("a");
	for (const runId of ["one", "two"]) {
		await cluster.announce(runId);
		await cluster.assign(["a", "a"], runId);
	}
	for (const serial of [0, 1]) {
		for (const runId of ["one", "two"]) await cluster.publish(itemOf(0, serial, { runId }));
	}
	await settle();
	t.deepEqual(cluster.answers.map(({ runId, serial }) => `${runId} ${serial}`).sort(), [
		"one 0",
		"one 1",
		"two 0",
		"two 1",
	]);
	t.is(opened(), 2);
	await cluster.bus.retire("one");
	await cluster.announce("one");
	await cluster.assign(["a"], "one");
	await cluster.publish(itemOf(0, 5, { runId: "one" }));
	await settle();
	t.is(cluster.answers.at(-1)?.serial, 5);
	t.is(opened(), 3);
});

test("an idle worker stays in the registry", async (t) => {
	const cluster = new Cluster();
	const { worker } = await cluster.startWorker("a");
	await cluster.clock.advance(20 * timing.heartbeatLimitMs);
	t.deepEqual(cluster.events, [{ type: "joined", worker: worker.info }]);
});

test("an item that takes longer than the ack wait is done once, even if another worker gets its shard meanwhile", async (t) => {
	const cluster = new Cluster();
	await cluster.announce();
	const [slow, next] = [await cluster.startWorker("slow"), await cluster.startWorker("next")];
	const letGo = holdUp(slow.tail);
	for (const serial of [0, 2]) await cluster.publish(itemOf(0, serial));
	await cluster.assign(["slow"]);
	await settle();
	await cluster.assign(["next"]);
	await cluster.clock.advance(5 * timing.ackWaitMs);
	t.is(next.tail.inputs.length, 0);
	letGo();
	await settle();
	t.deepEqual(
		cluster.answers.map(({ serial, workerId }) => `${serial} ${workerId}`),
		["0 slow", "2 next"],
	);
});

test("an item that waits for its turn longer than the ack wait stays with its worker", async (t) => {
	const cluster = new Cluster();
	await cluster.announce();
	const { tail } = await cluster.startWorker("a");
	const letGo = holdUp(tail);
	for (const serial of [0, 1]) await cluster.publish(itemOf(serial, serial));
	await cluster.assign(["a", "a"]);
	await settle();
	const other = cluster.bus.pull("run", 1, new AbortController().signal)[Symbol.asyncIterator]().next();
	const stolen = other.then(({ value }) => value?.item.serial);
	await cluster.clock.advance(5 * timing.ackWaitMs);
	letGo();
	await settle();
	await cluster.bus.retire("run");
	t.is(await stolen, undefined);
	t.deepEqual(partsOf(cluster.answers), [0, 1]);
});

test("a worker that loses the bus ends with an error", async (t) => {
	const cluster = new Cluster();
	const { worker } = await cluster.startWorker("a");
	await cluster.bus.close();
	await t.throwsAsync(worker.stopped, { code: "offline", message: /worker a: lost the bus/ });
	await t.notThrowsAsync(worker.stop());
});

test("a worker that loses the bus during an item ends with an error too", async (t) => {
	const cluster = new Cluster();
	await cluster.announce();
	const { worker, tail } = await cluster.startWorker("a");
	const letGo = holdUp(tail);
	await cluster.assign(["a"]);
	await cluster.publish(itemOf(0, 0));
	await settle();
	await cluster.bus.close();
	letGo();
	await t.throwsAsync(worker.stopped, { instanceOf: TailtuneError });
	t.true(tail.isDisposed);
});

test("a worker leaves the registry before it closes its connections, which would otherwise look like a crash", async (t) => {
	const cluster = new Cluster();
	await cluster.announce();
	let toldAtClose: string | undefined;
	const close = async () => {
		toldAtClose = cluster.events.at(-1)?.type;
	};
	const { worker } = await cluster.startWorker("a", async () => fakeModel, close);
	await cluster.assign(["a"]);
	await cluster.publish(itemOf(0, 0));
	await settle();
	await worker.stop();
	t.is(toldAtClose, "left");
});

test("a stopped worker leaves no timers behind", async (t) => {
	const cluster = new Cluster();
	await cluster.announce();
	const { worker } = await cluster.startWorker("a");
	await cluster.assign(["a"]);
	await cluster.publish(itemOf(0, 0));
	await settle();
	await worker.stop();
	t.is(cluster.clock.pending, 0);
});
