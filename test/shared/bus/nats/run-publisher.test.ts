import { setImmediate } from "node:timers/promises";
import test from "ava";
import type { ConsumerConfig, MsgHdrs } from "nats";
import { RunPublisher, type RunPublisherParts } from "../../../../shared/bus/nats/run-publisher.ts";
import { NatsNames } from "../../../../shared/bus/nats/subjects.ts";
import { runSpecCodec } from "../../../../shared/messages.ts";
import { Notices } from "../../../../shared/notices.ts";
import { someItem, someRun } from "../messages.ts";

/** Waits for turns of the event loop, as a request takes. */
async function pass(turns = 1): Promise<void> {
	for (let turn = 0; turn < turns; turn++) await setImmediate();
}

/** A fake server with consumers and the queue of a run. Its connection breaks during each action. */
class BreakingServer {
	readonly consumers = new Set<string>();
	/** Subjects of the messages that have no reply. */
	readonly sent = new Set<string>();
	/** Subjects of the requests. */
	readonly requested = new Set<string>();
	/** Subjects of the stored items. */
	readonly stored: string[] = [];
	/** What each consumer reports. */
	report = { num_pending: 1, num_ack_pending: 0 };
	queue: string | undefined;
	readonly heartbeatLimitMs: number;
	readonly #spec = someRun();

	constructor(heartbeatLimitMs = 60_000) {
		this.heartbeatLimitMs = heartbeatLimitMs;
	}

	get parts(): RunPublisherParts {
		const { link, registry } = this;
		const streams = {
			ensureAll: () => pass().then(() => "made"),
			purge: () => pass(),
			counts: async () => new Map(this.stored.map((subject) => [subject, 1])),
		};
		const timing = { ackWaitMs: 1000, heartbeatLimitMs: this.heartbeatLimitMs };
		return { link, registry, streams, timing, names: new NatsNames() } as unknown as RunPublisherParts;
	}

	readonly registry = {
		reach: () => pass(),
		read: async () => {
			await pass();
			const { runId, shards } = this.#spec;
			return this.queue && { runId, shards, spec: runSpecCodec.encode(this.#spec), queue: this.queue };
		},
	};

	readonly link = {
		notices: new Notices(),
		isConnected: true,
		maxMessageBytes: 1000,
		on: () => () => {},
		nc: {
			publish: (subject: string) => this.sent.add(subject),
			request: async (subject: string) => this.requested.add(subject),
		},
		/** Waits for the connection, and retries the action while the former try still runs. */
		persist: async (action: () => Promise<void>) => {
			while (!this.link.isConnected) await pass();
			const former = action();
			await pass(3);
			await Promise.all([former, action()]);
		},
		js: {
			publish: async (subject: string, _bytes: Uint8Array, { headers }: { headers?: MsgHdrs }) => {
				if (headers) this.queue = headers.get("Tailtune-Queue");
				else this.stored.push(subject);
				await pass();
				return { seq: 1 };
			},
		},
		jsm: {
			consumers: {
				info: async () => this.report,
				add: async (_stream: string, { durable_name = "" }: Partial<ConsumerConfig>) => {
					await pass(10);
					this.consumers.add(durable_name);
				},
				delete: async (_stream: string, name: string) => {
					await pass();
					this.consumers.delete(name);
				},
			},
		},
	};
}

test("a try that continues after its connection broke leaves no second queue on the server", async (t) => {
	const server = new BreakingServer();
	const publisher = new RunPublisher(someRun(), server.parts);
	await publisher.start();
	t.teardown(() => publisher.end());
	t.true(publisher.isQueue(server.queue ?? ""));
	t.true(server.consumers.size > 0);
	for (const consumer of server.consumers) t.regex(consumer, new RegExp(server.queue ?? "no queue"));
});

test("an item that is answered without a connection is acknowledged when there is one", async (t) => {
	const server = new BreakingServer();
	const publisher = new RunPublisher(someRun(), server.parts);
	await publisher.start();
	t.teardown(() => publisher.end());
	const answered = new AbortController();
	await publisher.publish(someItem(), answered.signal);
	server.link.isConnected = false;
	answered.abort();
	await pass(10);
	t.is(server.sent.size, 0);
	server.link.isConnected = true;
	await pass(10);
	const [consumer] = server.consumers;
	t.true(server.sent.size > 0);
	for (const subject of server.sent)
		t.regex(subject, new RegExp(`^\\$JS\\.ACK\\..*${consumer}\\.1\\.1\\.0\\.\\d+\\.0$`));
});

test("an item that is answered while it is stored is acknowledged", async (t) => {
	const server = new BreakingServer();
	const publisher = new RunPublisher(someRun(), server.parts);
	await publisher.start();
	t.teardown(() => publisher.end());
	const answered = new AbortController();
	const published = publisher.publish(someItem(), answered.signal);
	answered.abort();
	await published;
	t.true(server.sent.size > 0);
});

test("an item is sent again if its consumer knows of no message, and the consumer's leader is replaced", async (t) => {
	const server = new BreakingServer(0);
	const publisher = new RunPublisher(someRun(), server.parts);
	await publisher.start();
	t.teardown(() => publisher.end());
	await publisher.publish(someItem(), new AbortController().signal);
	const { length } = server.stored;
	for (const report of [
		{ num_pending: 1, num_ack_pending: 0 },
		{ num_pending: 0, num_ack_pending: 1 },
	]) {
		server.report = report;
		await publisher.reconcile();
	}
	t.is(server.stored.length, length);
	t.is(server.requested.size, 0);
	server.report = { num_pending: 0, num_ack_pending: 0 };
	await publisher.reconcile();
	t.true(server.stored.length > length);
	t.true(publisher.republishedItems > 0);
	const [consumer] = server.consumers;
	t.deepEqual([...server.requested], [`$JS.API.CONSUMER.LEADER.STEPDOWN.tailtune-work.${consumer}`]);
});
