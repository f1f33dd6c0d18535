import { setImmediate } from "node:timers/promises";
import test from "ava";
import type { ConsumerConfig, MsgHdrs } from "nats";
import { RunPublisher, type RunPublisherParts } from "../../../../shared/bus/nats/run-publisher.ts";
import { NatsNames } from "../../../../shared/bus/nats/subjects.ts";
import { runSpecCodec } from "../../../../shared/messages.ts";
import { Notices } from "../../../../shared/notices.ts";
import { someRun } from "../messages.ts";

/** Waits for turns of the event loop, as a request takes. */
async function pass(turns = 1): Promise<void> {
	for (let turn = 0; turn < turns; turn++) await setImmediate();
}

/** A fake server with consumers and the queue of a run. Its connection breaks during each action. */
class BreakingServer {
	readonly consumers = new Set<string>();
	queue: string | undefined;
	readonly #spec = someRun();

	get parts(): RunPublisherParts {
		const { link, registry } = this;
		const streams = { ensureAll: () => pass().then(() => "made"), purge: () => pass() };
		const timing = { ackWaitMs: 1000, heartbeatLimitMs: 60_000 };
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
		on: () => () => {},
		/** Retries the action while the former try still runs. */
		persist: async (action: () => Promise<void>) => {
			const former = action();
			await pass(3);
			await Promise.all([former, action()]);
		},
		js: {
			publish: async (_subject: string, _bytes: Uint8Array, { headers }: { headers: MsgHdrs }) => {
				this.queue = headers.get("Tailtune-Queue");
				await pass();
				return { seq: 1 };
			},
		},
		jsm: {
			consumers: {
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
