import { randomUUID } from "node:crypto";
import test from "ava";
import { connect, headers } from "nats";
import { NatsLink } from "../../../../shared/bus/nats/connection.ts";
import { connectNatsBus } from "../../../../shared/bus/nats/nats-bus.ts";
import { type Entry, NatsStreams } from "../../../../shared/bus/nats/streams.ts";
import { NatsNames } from "../../../../shared/bus/nats/subjects.ts";
import { WorkerRegistry } from "../../../../shared/bus/nats/worker-registry.ts";
import { startNatsNodes } from "../../../nats-nodes.ts";
import { someRun, someWorker } from "../messages.ts";
import { Seen, startCluster, timing } from "./nats-cluster.ts";

const never = new AbortController().signal;

test("the last hundred retired runs are kept, and a new process reads them with a few requests", async (t) => {
	const { coordinator, names, raw, connect } = await startCluster(t);
	await coordinator.announce(someRun({ runId: "first" }));
	const deleted = headers();
	deleted.set("KV-Operation", "DEL");
	const js = raw.jetstream();
	const marks = Array.from({ length: 150 }, (_, i) => names.run(`retired-${i}`));
	for (const mark of marks) await js.publish(mark, "retired", { headers: deleted });
	const requests: string[] = [];
	raw.subscribe("$JS.API.>", { callback: (_, { subject }) => void requests.push(subject) });
	const newcomer = await connect();
	await raw.flush();
	t.true(requests.length < 10, `${requests.length} requests`);
	t.deepEqual(
		(await newcomer.listRuns()).map(({ spec }) => spec.runId),
		["first"],
	);
	await newcomer.announce(someRun({ runId: "second" }));
	const { state } = await (await raw.jetstreamManager()).streams.info(names.runsStream, { subjects_filter: ">" });
	const kept = Object.keys(state.subjects ?? {});
	t.deepEqual(kept.sort(), [names.run("first"), names.run("second"), ...marks.slice(50)].sort());
});

/** With three replicas a change is published before it can be read: a reader that reads at once misses one in five. */
test("a watch of assignments in a bucket with three replicas misses none", async (t) => {
	const { nodes, stop } = await startNatsNodes(3);
	t.teardown(stop);
	const prefix = randomUUID();
	const [first = "", second = ""] = nodes.map(({ url }) => url);
	const connectTo = async (servers: string) => {
		const bus = await connectNatsBus({ servers, role: "coordinator", timing, prefix });
		t.teardown(() => bus.close());
		return bus;
	};
	const [coordinator, worker] = [await connectTo(first), await connectTo(second)];
	const raw = await connect({ servers: first });
	t.teardown(() => raw.close());
	const { config } = await (await raw.jetstreamManager()).streams.info(new NatsNames(prefix).runsStream);
	t.is(config.num_replicas, 3);
	await coordinator.announce(someRun({ shards: 4 }));
	const runs = new Seen(worker.watchRuns(never));
	await runs.until(({ length }) => length === 1);
	const seen = new Seen(worker.watchAssignments("run", never));
	for (let round = 0; round < 25; round++) {
		const shards = [0, 1, 2, 3];
		const workerId = `w${round}`;
		await Promise.all(shards.map((shard) => coordinator.assign({ runId: "run", shard, workerId })));
		await seen.until((all) =>
			shards.every((shard) => all.findLast((one) => one.shard === shard)?.workerId === workerId),
		);
	}
	t.pass();
});

test("a bucket that was deleted and created again is followed from its first entry", async (t) => {
	const { coordinator, worker, names, raw } = await startCluster(t);
	for (let run = 0; run < 5; run++) await coordinator.announce(someRun({ runId: `before-${run}` }));
	const seen = new Seen(worker.watchRuns(never));
	await seen.until(({ length }) => length === 5);
	await (await raw.jetstreamManager()).streams.delete(names.runsStream);
	await coordinator.announce(someRun({ runId: "after" }));
	await seen.until((all) => all.some((event) => event.type === "announced" && event.run.runId === "after"));
	t.pass();
});

/** Reads an entry, and returns it after `beforeReturn` has ended. */
class LateStreams extends NatsStreams {
	beforeReturn: () => Promise<void> = async () => {};

	override async last(stream: string, key: string): Promise<Entry | undefined> {
		const entry = await super.last(stream, key);
		await this.beforeReturn();
		return entry;
	}
}

test("a worker that left is not registered again from an entry that was read before it left", async (t) => {
	const { server, worker, names } = await startCluster(t);
	const { leave } = await worker.join(someWorker("gone"));
	const inboxPrefix = "late";
	const link = await NatsLink.open({ servers: server.url, name: "late", inboxPrefix, pingMs: 5000, log: () => {} });
	t.teardown(() => link.close());
	const streams = new LateStreams(link, names, { ttlMs: 5000 });
	const registry = new WorkerRegistry({ link, names, streams, heartbeatLimitMs: 5000, refuse: () => {} });
	const workers = new Seen(registry.watch(never));
	streams.beforeReturn = async () => {
		await leave();
		await link.nc.flush();
	};
	await registry.list();
	await worker.join(someWorker("here"));
	await workers.until(({ length }) => length > 0);
	t.deepEqual(workers.all, [{ type: "joined", worker: someWorker("here") }]);
});
