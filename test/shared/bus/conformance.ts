import type { ExecutionContext, TestFn } from "ava";
import fc from "fast-check";
import { type Bus, type Delivery, MOST_WAITING_PARTS } from "../../../shared/bus/bus.ts";
import { someItem, somePart, someProgress, someRun, someWorker } from "./messages.ts";

/** A new bus with finite time-outs. */
export interface BusUnderTest {
	readonly bus: Bus;
	/** Waits `ms`, and until everything that follows from it has happened; 0: only the pending work. */
	advance(ms: number): Promise<void>;
	/** Whether much more time has passed than `advance` waited, because the machine is busy. */
	isLate(): boolean;
}

export interface ConformanceOptions {
	/** Number of random schedules per property. */
	readonly propertyRuns: number;
}

/** Attempts of a test that fails because the machine is busy. */
const MOST_ATTEMPTS = 5;

/** Registers the tests that every adapter of the bus must pass. */
export function busConformance(
	test: TestFn,
	createBus: () => Promise<BusUnderTest>,
	{ propertyRuns }: ConformanceOptions,
): void {
	/** Runs a test on its own bus, which is closed at the end, and again if it failed on a busy machine. */
	const onOwnBus = async (
		t: ExecutionContext,
		body: (t: ExecutionContext, under: BusUnderTest) => Promise<unknown>,
	) => {
		for (let attempts = 1; ; attempts++) {
			const under = await createBus();
			const attempt = await t.try(async (t) => void (await body(t, under)));
			await under.bus.close();
			if (attempt.passed || !under.isLate() || attempts === MOST_ATTEMPTS) return attempt.commit();
			attempt.discard();
		}
	};
	const onBus = (title: string, body: (t: ExecutionContext, under: BusUnderTest) => Promise<void>) =>
		test(title, (t) => onOwnBus(t, body));

	onBus(
		"a watch of workers yields the present workers, then those that join and leave",
		async (t, { bus, advance }) => {
			await bus.join(someWorker("early"));
			const events = collect(bus.watchWorkers(never()));
			await advance(0);
			t.deepEqual(events, [{ type: "joined", worker: someWorker("early") }]);
			const late = await bus.join(someWorker("late"));
			await late.leave();
			await advance(0);
			t.deepEqual(events.slice(1), [
				{ type: "joined", worker: someWorker("late") },
				{ type: "left", workerId: "late", reason: "shut-down" },
			]);
		},
	);

	onBus(
		"a worker without heartbeats is dropped, and joins again with its next heartbeat",
		async (t, { bus, advance }) => {
			const { heartbeatLimitMs } = bus.timing;
			const beating = await bus.join(someWorker("beating"));
			const silent = await bus.join(someWorker("silent"));
			const events = collect(bus.watchWorkers(never()));
			for (let beats = 0; beats < 4; beats++) {
				await advance(heartbeatLimitMs / 2);
				await beating.beat();
			}
			t.deepEqual(events.slice(2), [{ type: "left", workerId: "silent", reason: "no-heartbeat" }]);
			await silent.beat();
			await advance(0);
			t.deepEqual(events.slice(3), [{ type: "joined", worker: someWorker("silent") }]);
		},
	);

	onBus("a worker that left is not reported again later", async (t, { bus, advance }) => {
		const membership = await bus.join(someWorker("gone"));
		const events = collect(bus.watchWorkers(never()));
		await advance(0);
		await membership.leave();
		await advance(3 * bus.timing.heartbeatLimitMs);
		t.is(events.filter(({ type }) => type === "left").length, 1);
	});

	onBus("a watch of runs yields the announced runs, then new and retired ones", async (t, { bus, advance }) => {
		await bus.announce(someRun({ runId: "one" }));
		const events = collect(bus.watchRuns(never()));
		await advance(0);
		await bus.announce(someRun({ runId: "two", shards: 5 }));
		await bus.retire("one");
		await advance(0);
		t.deepEqual(events, [
			{ type: "announced", run: someRun({ runId: "one" }) },
			{ type: "announced", run: someRun({ runId: "two", shards: 5 }) },
			{ type: "retired", runId: "one" },
		]);
	});

	onBus(
		"announcing a run twice changes nothing, a different run with its id is refused",
		async (t, { bus, advance }) => {
			await bus.announce(someRun());
			await bus.publish(someItem(), never());
			const events = collect(bus.watchRuns(never()));
			await bus.announce(someRun());
			await t.throwsAsync(bus.announce(someRun({ shards: 3 })), { code: "protocol" });
			await advance(0);
			t.is(events.length, 1);
			const delivery = await first(bus.pull("run", 0, never()));
			t.deepEqual(delivery.item, someItem());
		},
	);

	onBus("a watch of assignments yields the last one of each shard, then changes", async (t, { bus, advance }) => {
		await bus.announce(someRun());
		await bus.assign({ runId: "run", shard: 0, workerId: "a" });
		await bus.assign({ runId: "run", shard: 1, workerId: "a" });
		await bus.assign({ runId: "run", shard: 0, workerId: "b" });
		const seen = collect(bus.watchAssignments("run", never()));
		await advance(0);
		const byShard = seen.map(({ shard, workerId }) => `${shard}${workerId}`).sort();
		t.deepEqual(byShard, ["0b", "1a"]);
		await bus.assign({ runId: "run", shard: 1, workerId: "b" });
		await advance(0);
		t.deepEqual(seen.slice(2), [{ runId: "run", shard: 1, workerId: "b" }]);
	});

	onBus(
		"items of a shard are delivered in the order of publishing, each after the ack of the one before",
		async (t, { bus, advance }) => {
			await bus.announce(someRun());
			for (const serial of [0, 1]) await bus.publish(someItem({ serial }), never());
			await bus.publish(someItem({ shard: 1, serial: 2 }), never());
			const pulled = iterate(bus.pull("run", 0, never()));
			const delivery = await pulled.next();
			t.deepEqual(delivery.item, someItem({ serial: 0 }));
			const next = pulled.next();
			t.true(await isPending(next, advance));
			t.is((await first(bus.pull("run", 1, never()))).item.serial, 2, "another shard doesn't wait for it");
			await delivery.ack();
			t.deepEqual((await next).item, someItem({ serial: 1 }));
		},
	);

	onBus("an answered item is acknowledged, and the next one was requested before", async (t, { bus, advance }) => {
		await bus.announce(someRun());
		await bus.publish(someItem({ serial: 3 }), AbortSignal.abort());
		const answered = new AbortController();
		await bus.publish(someItem({ serial: 0 }), answered.signal);
		await bus.publish(someItem({ serial: 1 }), never());
		const pulled = iterate(bus.pull("run", 0, never()));
		const delivery = await pulled.next();
		t.is(delivery.item.serial, 0, "an item that was answered before it was stored isn't delivered");
		delivery.requestNext();
		await advance(0);
		answered.abort();
		await advance(0);
		delivery.requestNext();
		t.is((await pulled.next()).item.serial, 1);
		await delivery.ack();
		await bus.publish(someItem({ serial: 2 }), never());
		t.true(await isPending(pulled.next(), advance), "the ack of an item isn't that of the next one");
	});

	onBus("an item with a nak is delivered again at once, to any process that pulls", async (t, { bus }) => {
		await bus.announce(someRun());
		await bus.publish(someItem(), never());
		const leaving = new AbortController();
		const delivery = await first(bus.pull("run", 0, leaving.signal));
		leaving.abort();
		const other = iterate(bus.pull("run", 0, never())).next();
		await delivery.nak();
		t.deepEqual((await other).item, someItem());
	});

	onBus(
		"an item taken back is delivered again at once, and an ack of the first delivery counts",
		async (t, { bus }) => {
			await bus.announce(someRun());
			await bus.takeBack("run", 0);
			for (const serial of [0, 1]) await bus.publish(someItem({ serial }), never());
			const lost = await first(bus.pull("run", 0, never()));
			const pulled = iterate(bus.pull("run", 0, never()));
			const again = pulled.next();
			await bus.takeBack("run", 0);
			t.is((await again).item.serial, 0);
			await lost.ack();
			t.is((await pulled.next()).item.serial, 1);
		},
	);

	onBus(
		"an item without an ack is delivered again when the ack wait is over, not before",
		async (t, { bus, advance }) => {
			await bus.announce(someRun());
			await bus.publish(someItem(), never());
			await first(bus.pull("run", 0, never()));
			const again = iterate(bus.pull("run", 0, never())).next();
			await advance(bus.timing.ackWaitMs / 2);
			t.true(await isPending(again, advance));
			await advance(bus.timing.ackWaitMs);
			t.deepEqual((await again).item, someItem());
		},
	);

	onBus("an item that a worker reports as being computed is not delivered again", async (t, { bus, advance }) => {
		await bus.announce(someRun());
		await bus.publish(someItem(), never());
		const delivery = await first(bus.pull("run", 0, never()));
		const again = iterate(bus.pull("run", 0, never())).next();
		for (let times = 0; times < 4; times++) {
			await advance(bus.timing.ackWaitMs / 2);
			await delivery.working();
		}
		t.true(await isPending(again, advance));
	});

	onBus("an ack counts although the item was delivered again in the meantime", async (t, { bus, advance }) => {
		await bus.announce(someRun());
		for (const serial of [0, 1]) await bus.publish(someItem({ serial }), never());
		const slow = await first(bus.pull("run", 0, never()));
		const pulled = iterate(bus.pull("run", 0, never()));
		const again = pulled.next();
		await advance(1.5 * bus.timing.ackWaitMs);
		t.is((await again).item.serial, 0);
		await slow.ack();
		t.is((await pulled.next()).item.serial, 1);
	});

	onBus("an item is taken while a worker computes it", async (t, { bus, advance }) => {
		await bus.announce(someRun());
		const isTaken = async () => {
			let isAnswered = false;
			const answer = bus.isTaken("run", 0).finally(() => {
				isAnswered = true;
			});
			while (!isAnswered) await advance(bus.timing.ackWaitMs / 10);
			return answer;
		};
		t.is(await isTaken(), undefined);
		await bus.publish(someItem(), never());
		t.is(await isTaken(), false);
		const delivery = await first(bus.pull("run", 0, never()));
		const signs = setInterval(() => void delivery.working(), 20);
		t.is(await isTaken(), true);
		clearInterval(signs);
		await advance(1.5 * bus.timing.ackWaitMs);
		t.is(await isTaken(), false);
		await delivery.ack();
		t.is(await isTaken(), undefined);
		t.is(await bus.isTaken("nowhere", 0), undefined);
	});

	onBus("the lists contain the workers and runs that exist now", async (t, { bus }) => {
		t.deepEqual([await bus.listWorkers(), await bus.listRuns()], [[], []]);
		const { leave } = await bus.join(someWorker("gone"));
		await bus.join(someWorker("here"));
		await leave();
		await bus.announce(someRun());
		await bus.assign({ runId: "run", shard: 1, workerId: "here" });
		const assignments = [{ runId: "run", shard: 1, workerId: "here" }];
		t.deepEqual(await bus.listWorkers(), [someWorker("here")]);
		t.deepEqual(await bus.listRuns(), [{ spec: someRun(), assignments, progress: undefined }]);
		await bus.retire("run");
		t.deepEqual(await bus.listRuns(), []);
	});

	onBus("the last report of a run's progress is valid until the heartbeat limit", async (t, { bus, advance }) => {
		await bus.announce(someRun());
		const progress = async () => (await bus.listRuns())[0]?.progress;
		await bus.report(someProgress({ done: 1 }));
		await advance(bus.timing.heartbeatLimitMs / 2);
		await bus.report(someProgress({ done: 2, validation: null }));
		await advance(bus.timing.heartbeatLimitMs * 0.75);
		t.deepEqual(await progress(), someProgress({ done: 2, validation: null }));
		await advance(bus.timing.heartbeatLimitMs);
		t.is(await progress(), undefined);
	});

	onBus("a request to stop reaches the run's coordinator; without one it is refused", async (t, { bus, advance }) => {
		await bus.announce(someRun());
		await bus.announce(someRun({ runId: "another" }));
		await t.throwsAsync(bus.cancel("run"), { code: "offline", message: /run: its coordinator doesn't answer/ });
		const cancels = collect(bus.watchCancels("run", never()));
		const others = collect(bus.watchCancels("another", never()));
		await advance(0);
		await bus.cancel("run");
		await advance(0);
		t.deepEqual([cancels, others], [["cancel"], []]);
	});

	onBus("published updates reach each watch of their run, in order, from then on", async (t, { bus, advance }) => {
		for (const runId of ["run", "another"]) await bus.announce(someRun({ runId }));
		const publish = (runId: string, ...versions: number[]) =>
			bus.publishUpdate(
				runId,
				versions.map((version) => somePart(version)),
			);
		publish("run", 1);
		await advance(0);
		const watches = [1, 2].map(() => collect(bus.watchUpdates("run", never())));
		const others = collect(bus.watchUpdates("another", never()));
		await advance(0);
		publish("run", 2, 3);
		publish("run", 4);
		publish("another", 5);
		publish("nowhere", 6);
		await advance(0);
		for (const seen of watches) t.deepEqual(seen, [somePart(2), somePart(3), somePart(4)]);
		t.deepEqual(others, [somePart(5)]);
	});

	onBus("a slow watch of updates misses later parts, and the next ones arrive again", async (t, { bus, advance }) => {
		await bus.announce(someRun());
		const publish = (from: number, count: number) =>
			bus.publishUpdate(
				"run",
				Array.from({ length: count }, (_, i) => somePart(from + i)),
			);
		const watched = iterate(bus.watchUpdates("run", never()));
		const first = watched.next();
		await advance(0);
		publish(1, 1);
		t.deepEqual(await first, somePart(1));
		publish(2, MOST_WAITING_PARTS + 10);
		await advance(0);
		for (let version = 2; version < 2 + MOST_WAITING_PARTS; version++)
			t.is((await watched.next()).header?.parameterVersion, version);
		publish(500, 1);
		t.deepEqual(await watched.next(), somePart(500));
	});

	onBus("calls for a run that is not announced are refused, and its watches end", async (t, { bus }) => {
		const refused = { code: "protocol", message: /nowhere/ };
		await t.throwsAsync(bus.publish(someItem({ runId: "nowhere" }), never()), refused);
		await t.throwsAsync(bus.assign({ runId: "nowhere", shard: 0, workerId: "a" }), refused);
		await t.throwsAsync(bus.report(someProgress({ runId: "nowhere" })), refused);
		await t.throwsAsync(bus.cancel("nowhere"), refused);
		await t.notThrowsAsync(bus.retire("nowhere"));
		for (const watch of watchesOf(bus, "nowhere")) t.true(await hasEnded(watch));
	});

	onBus("a shard that the run doesn't have is refused", async (t, { bus }) => {
		await bus.announce(someRun({ shards: 2 }));
		await t.throwsAsync(bus.publish(someItem({ shard: 2 }), never()), { code: "protocol", message: /shard 2/ });
		await t.throwsAsync(bus.assign({ runId: "run", shard: 2, workerId: "a" }), { code: "protocol" });
	});

	onBus("retiring a run ends its watches and removes its items", async (t, { bus, advance }) => {
		await bus.announce(someRun());
		const pending = watchesOf(bus, "run").map(hasEnded);
		await advance(0);
		await bus.retire("run");
		t.deepEqual(await Promise.all(pending), [true, true, true, true]);
		await bus.announce(someRun());
		await bus.publish(someItem({ serial: 1 }), never());
		await bus.retire("run");
		await t.throwsAsync(bus.publish(someItem(), never()), { code: "protocol" });
		await bus.announce(someRun());
		await bus.publish(someItem({ serial: 7 }), never());
		t.is((await first(bus.pull("run", 0, never()))).item.serial, 7);
	});

	onBus("an abort ends each kind of watch, a close ends them all", async (t, { bus, advance }) => {
		await bus.announce(someRun());
		const all = (signal: AbortSignal) =>
			[bus.watchWorkers(signal), bus.watchRuns(signal), ...watchesOf(bus, "run", signal)].map(runsOut);
		const abort = new AbortController();
		const aborted = all(abort.signal);
		const closed = all(never());
		await advance(0);
		abort.abort();
		await Promise.all(aborted);
		await bus.close();
		await Promise.all(closed);
		await t.throwsAsync(bus.publish(someItem(), never()), { code: "protocol", message: /closed/ });
		t.notThrows(() => bus.publishUpdate("run", [somePart(1)]));
		await t.throwsAsync(bus.join(someWorker("a")), { code: "protocol", message: /closed/ });
	});

	test("with any order of acks, naks and expired deliveries no item is lost or overtaken", async (t) => {
		const steps = fc.array(
			fc.constantFrom("publish", "pull", "ack", "answer", "nak", "forget", "late ack", "new puller"),
			{
				minLength: 1,
				maxLength: 40,
			},
		);
		for (const schedule of fc.sample(steps, { numRuns: propertyRuns, seed: 3 }))
			await onOwnBus(t, (t, under) => t.notThrowsAsync(new ShardHistory(under).run(schedule), schedule.join(", ")));
	});
}

/** Runs a schedule on one shard and checks that the expected items are delivered. */
class ShardHistory {
	readonly #under: BusUnderTest;
	#puller: AbortController | undefined;
	#next: Promise<Delivery> | undefined;
	#current: Delivery | undefined;
	#abandoned: Delivery | undefined;
	/** By item. */
	readonly #answered: AbortController[] = [];
	#acked = 0;

	constructor(under: BusUnderTest) {
		this.#under = under;
	}

	async run(schedule: readonly string[]): Promise<void> {
		await this.#under.bus.announce(someRun());
		for (const step of schedule) await this.#play(step);
		await this.#settleCurrent("forget");
		while (this.#acked < this.#published) {
			await this.#play("pull");
			await this.#settleCurrent("ack");
		}
		const nothing = this.#pull();
		if (!(await isPending(nothing, this.#under.advance))) throw new Error("an acked item came again");
	}

	get #published(): number {
		return this.#answered.length;
	}

	async #play(step: string): Promise<void> {
		const { bus } = this.#under;
		if (step === "publish") await this.#publish(bus);
		else if (step === "new puller") this.#endPuller();
		else if (step === "late ack") await this.#ackAbandoned();
		else if (step !== "pull") await this.#settleCurrent(step);
		else if (!this.#current && this.#acked < this.#published) {
			this.#current = await this.#pull();
			this.#next = undefined;
			const { serial } = this.#current.item;
			if (serial !== this.#acked) throw new Error(`item ${serial} came while ${this.#acked} was due`);
		}
	}

	async #publish(bus: Bus): Promise<void> {
		const answered = new AbortController();
		await bus.publish(someItem({ serial: this.#answered.push(answered) - 1 }), answered.signal);
	}

	#pull(): Promise<Delivery> {
		this.#puller ??= new AbortController();
		this.#next ??= first(this.#under.bus.pull("run", 0, this.#puller.signal));
		return this.#next;
	}

	#endPuller(): void {
		this.#puller?.abort();
		this.#puller = undefined;
		this.#next = undefined;
	}

	async #settleCurrent(how: string): Promise<void> {
		const delivery = this.#current;
		if (!delivery) return;
		this.#current = undefined;
		if (how === "nak") await delivery.nak();
		else if (how === "forget") {
			this.#abandoned = delivery;
			await this.#under.advance(1.5 * this.#under.bus.timing.ackWaitMs);
		} else {
			if (how === "answer") this.#answered[delivery.item.serial]?.abort();
			else await delivery.ack();
			this.#acked++;
		}
	}

	async #ackAbandoned(): Promise<void> {
		if (this.#abandoned?.item.serial === this.#acked) {
			await this.#abandoned.ack();
			this.#acked++;
			this.#current = undefined;
		}
		this.#abandoned = undefined;
	}
}

function watchesOf(bus: Bus, runId: string, signal = never()): AsyncIterable<unknown>[] {
	return [
		bus.watchAssignments(runId, signal),
		bus.pull(runId, 0, signal),
		bus.watchCancels(runId, signal),
		bus.watchUpdates(runId, signal),
	];
}

function never(): AbortSignal {
	return new AbortController().signal;
}

/** Collects the events of a watch. */
function collect<T>(watch: AsyncIterable<T>): T[] {
	const seen: T[] = [];
	const follow = async () => {
		for await (const one of watch) seen.push(one);
	};
	follow().catch((error) => seen.push(error));
	return seen;
}

function iterate<T>(watch: AsyncIterable<T>): { next(): Promise<T> } {
	const iterator = watch[Symbol.asyncIterator]();
	return {
		async next() {
			const { done, value } = await iterator.next();
			if (done) throw new Error("the watch ended");
			return value;
		},
	};
}

function first<T>(watch: AsyncIterable<T>): Promise<T> {
	return iterate(watch).next();
}

async function hasEnded(watch: AsyncIterable<unknown>): Promise<boolean> {
	const { done } = await watch[Symbol.asyncIterator]().next();
	return done === true;
}

async function runsOut(watch: AsyncIterable<unknown>): Promise<void> {
	for await (const _ of watch);
}

async function isPending(promise: Promise<unknown>, advance: BusUnderTest["advance"]): Promise<boolean> {
	let pending = true;
	const settled = () => {
		pending = false;
	};
	promise.then(settled, settled);
	await advance(0);
	return pending;
}
