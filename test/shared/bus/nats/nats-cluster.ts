import { randomUUID } from "node:crypto";
import type { ExecutionContext } from "ava";
import { connect, type NatsConnection } from "nats";
import type { Bus } from "../../../../shared/bus/bus.ts";
import { connectNatsBus, type NatsBus, type NatsBusOptions } from "../../../../shared/bus/nats/nats-bus.ts";
import { NatsNames } from "../../../../shared/bus/nats/subjects.ts";
import type { WorkItem } from "../../../../shared/messages.ts";
import { startNatsServer, type TestServer } from "../../../nats-server.ts";
import { someItem, someResult, someRun, someWorker } from "../messages.ts";

/** Long, since a busy machine must not make a worker look dead. */
export const timing = { ackWaitMs: 2000, heartbeatLimitMs: 5000 };

/** A server of the test's own with a coordinator and a worker on it, and a connection that may do anything. */
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

/** Items of a run, dealt to its shards. */
export function manyItems(count: number, shards: number, fields: Partial<WorkItem> = {}): WorkItem[] {
	return Array.from({ length: count }, (_, part) => someItem({ part, shard: part % shards, ...fields }));
}

/** Does the items of a shard as a worker does, until the run ends. Calls back before each answer. */
export async function serveShard(bus: Bus, shard: number, onItem: (item: WorkItem) => void = () => {}): Promise<void> {
	for await (const { item, ack } of bus.pull("run", shard, new AbortController().signal)) {
		onItem(item);
		await bus.answer(someResult({ part: item.part, shard: item.shard }));
		await ack();
	}
}

/** Announces a run, has `worker` serve it and join, and publishes its items; what is answered, as it comes. */
export async function beginRun({ coordinator, worker }: TestCluster, items: readonly WorkItem[], shards: number) {
	await coordinator.announce(someRun({ shards }));
	const { beat } = await worker.join(someWorker("worker"));
	const beats = setInterval(() => beat().catch(() => clearInterval(beats)), timing.heartbeatLimitMs / 10);
	for (let shard = 0; shard < shards; shard++) {
		await coordinator.assign({ runId: "run", shard, workerId: "worker" });
		serveShard(worker, shard).catch(() => {});
	}
	const publishing = (async () => {
		for (const item of items) await coordinator.publish(item);
	})();
	publishing.catch(() => {});
	return { answers: coordinator.watchAnswers("run", new AbortController().signal), publishing };
}

/** Waits for an answer to each part, calling back at each new one with their number. */
export async function untilAnswered(
	answers: AsyncIterable<{ part: number }>,
	count: number,
	onAnswer: (answered: number) => Promise<void> = async () => {},
): Promise<void> {
	const parts = new Set<number>();
	for await (const { part } of answers) {
		if (parts.has(part)) continue;
		parts.add(part);
		await onAnswer(parts.size);
		if (parts.size === count) return;
	}
	throw new Error(`only ${parts.size} of ${count} items were answered`);
}

/** What a watch has brought so far, and a way to wait for more. */
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
