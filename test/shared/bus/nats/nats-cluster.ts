import { randomUUID } from "node:crypto";
import type { ExecutionContext } from "ava";
import { connect, type NatsConnection } from "nats";
import type { Bus } from "../../../../shared/bus/bus.ts";
import { connectNatsBus, type NatsBus, type NatsBusOptions } from "../../../../shared/bus/nats/nats-bus.ts";
import { NatsNames } from "../../../../shared/bus/nats/subjects.ts";
import type { WorkItem } from "../../../../shared/messages.ts";
import { startNatsServer, type TestServer } from "../../../nats-server.ts";
import { someItem, someRun, someWorker } from "../messages.ts";

/** Long, because on a busy machine a worker must not seem dead. */
export const timing = { ackWaitMs: 2000, heartbeatLimitMs: 5000 };

/** A NATS server for one test with a coordinator, a worker, and a connection with all permissions. */
export interface TestCluster {
	readonly server: TestServer;
	readonly coordinator: NatsBus;
	readonly worker: NatsBus;
	readonly names: NatsNames;
	readonly raw: NatsConnection;
	/** Another bus on the same cluster. */
	connect(options?: Partial<NatsBusOptions> & { url?: string }): Promise<NatsBus>;
}

export async function startCluster(t: ExecutionContext, config?: string): Promise<TestCluster> {
	const server = await startNatsServer(config === undefined ? {} : { config });
	t.teardown(() => server.stop());
	const prefix = randomUUID();
	const connectBus: TestCluster["connect"] = async ({ url = server.url, ...options } = {}) => {
		const bus = await connectNatsBus({ servers: url, role: "coordinator", timing, prefix, ...options });
		t.teardown(() => bus.close());
		return bus;
	};
	const raw = await connect({ servers: server.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
	t.teardown(() => raw.close());
	const [coordinator, worker] = [await connectBus(), await connectBus()];
	return { server, coordinator, worker, names: new NatsNames(prefix), raw, connect: connectBus };
}

/** Returns items of a run, distributed to its shards in turn. */
export function manyItems(count: number, shards: number, fields: Partial<WorkItem> = {}): WorkItem[] {
	return Array.from({ length: count }, (_, serial) => someItem({ serial, shard: serial % shards, ...fields }));
}

/** Replaces a coordinator's exchange: publishes items and counts one answer per item. */
export class Answers {
	/** Serial numbers of the answered items, in the order of the answers. */
	readonly serials: number[] = [];
	readonly #waiting = new Map<number, AbortController>();
	#wake = () => {};

	publish(bus: Bus, item: WorkItem): Promise<void> {
		const over = new AbortController();
		this.#waiting.set(item.serial, over);
		return bus.publish(item, over.signal);
	}

	put(serial: number): void {
		const over = this.#waiting.get(serial);
		if (!over || over.signal.aborted) return;
		over.abort();
		this.serials.push(serial);
		this.#wake();
	}

	/** Waits until `count` items are answered. */
	async until(count: number): Promise<void> {
		while (this.serials.length < count) {
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		}
	}
}

/** Answers the items of a shard as a worker does, until the run ends. Calls `onItem` before each answer. */
export async function serveShard(
	bus: Bus,
	shard: number,
	answers: Answers,
	onItem: (item: WorkItem) => unknown = () => {},
): Promise<void> {
	for await (const { item, ack } of bus.pull("run", shard, new AbortController().signal)) {
		await onItem(item);
		answers.put(item.serial);
		await ack();
	}
}

/** Announces a run that `worker` serves, and publishes its items. @returns the answers and the promise of publishing */
export async function beginRun(
	{ coordinator, worker }: TestCluster,
	items: readonly WorkItem[],
	shards: number,
	onItem?: () => Promise<void>,
) {
	const answers = new Answers();
	await coordinator.announce(someRun({ shards }));
	const { beat } = await worker.join(someWorker("worker"));
	const beats = setInterval(() => beat().catch(() => clearInterval(beats)), timing.heartbeatLimitMs / 10);
	for (let shard = 0; shard < shards; shard++) {
		await coordinator.assign({ runId: "run", shard, workerId: "worker" });
		serveShard(worker, shard, answers, onItem).catch(() => {});
	}
	const publishing = (async () => {
		for (const item of items) await answers.publish(coordinator, item);
	})();
	publishing.catch(() => {});
	return { answers, publishing };
}

/** Collects the events of a watch, and waits for more. */
export class Seen<T> {
	readonly all: T[] = [];
	#wake: () => void = () => {};

	constructor(watch: AsyncIterable<T>) {
		(async () => {
			for await (const one of watch) {
				this.all.push(one);
				this.#wake();
			}
		})().catch(() => {});
	}

	async until(isEnough: (all: readonly T[]) => boolean): Promise<void> {
		while (!isEnough(this.all)) {
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		}
	}
}
