import test from "ava";
import type { NatsBus } from "../../../../shared/bus/nats/nats-bus.ts";
import { type Notice, Notices } from "../../../../shared/notices.ts";
import { someItem, someRun } from "../messages.ts";
import { Answers, beginRun, manyItems, Seen, serveShard, startCluster } from "./nats-cluster.ts";

const never = new AbortController().signal;
const COUNT = 200;
const SHARDS = 4;

for (const wipe of [false, true]) {
	test(`a run survives a server that is killed and restarted ${wipe ? "without" : "with"} its files`, async (t) => {
		const cluster = await startCluster(t);
		let release = () => {};
		const held = new Promise<void>((resolve) => {
			release = resolve;
		});
		let begun = 0;
		const onItem = async () => {
			if (++begun > COUNT / 4) await held;
		};
		const { answers, publishing } = await beginRun(cluster, manyItems(COUNT, SHARDS), SHARDS, onItem);
		const runs = new Seen(cluster.worker.watchRuns(never));
		const workers = new Seen(cluster.coordinator.watchWorkers(never));
		await workers.until(({ length }) => length > 0);
		await answers.until(COUNT / 4);
		await publishing;
		await cluster.server.restart({ wipe });
		release();
		await answers.until(COUNT);
		t.deepEqual(
			runs.all.map(({ type }) => type),
			["announced"],
			"the worker keeps the run",
		);
		t.deepEqual(
			workers.all.map(({ type }) => type),
			["joined"],
			"the coordinator keeps the worker",
		);
		if (wipe) t.true(cluster.coordinator.republishedItems > 0);
		await cluster.coordinator.retire("run");
		await runs.until(({ length }) => length === 2);
	});
}

test("after the server lost its files a new process finds the run, its assignments and the workers", async (t) => {
	const cluster = await startCluster(t);
	await beginRun(cluster, [], 2);
	await cluster.server.kill();
	await cluster.server.restart({ wipe: true });
	const newcomer = await cluster.connect();
	const runs = new Seen(newcomer.watchRuns(never));
	await runs.until(({ length }) => length === 1);
	const assignments = new Seen(newcomer.watchAssignments("run", never));
	const workers = new Seen(newcomer.watchWorkers(never));
	await assignments.until(({ length }) => length === 2);
	await workers.until(({ length }) => length === 1);
	t.deepEqual(assignments.all.map(({ shard, workerId }) => `${shard} ${workerId}`).sort(), ["0 worker", "1 worker"]);
});

const losses = ["work", "items", "run"] as const;
for (const loss of losses) {
	test(`data that another program deletes is restored: ${loss}`, async (t) => {
		const cluster = await startCluster(t);
		const { names, raw } = cluster;
		const notices: string[] = [];
		const report = ({ kind, state }: Notice) => void notices.push(`${kind} ${state}`);
		const coordinator = await cluster.connect({ notices: new Notices(report) });
		const jsm = await raw.jetstreamManager();
		await coordinator.announce(someRun({ shards: SHARDS }));
		const answers = new Answers();
		for (const item of manyItems(20, SHARDS)) await answers.publish(coordinator, item);
		if (loss === "work") await jsm.streams.delete(names.workStream);
		else if (loss === "items") await jsm.streams.purge(names.workStream);
		else await jsm.streams.delete(names.runsStream);
		for (let shard = 0; shard < SHARDS; shard++) serveShard(cluster.worker, shard, answers).catch(() => {});
		await answers.until(20);
		if (loss === "work" || loss === "items") {
			t.is(coordinator.republishedItems, 20);
			t.deepEqual(notices.slice(-2), ["retrying begun", "retrying over"]);
		}
		const newcomer = await cluster.connect();
		const runs = new Seen(newcomer.watchRuns(never));
		await runs.until(({ length }) => length === 1);
		t.pass();
	});
}

test("messages sent while the server is down are delivered after its restart", async (t) => {
	const cluster = await startCluster(t);
	const { coordinator, server, worker } = cluster;
	await coordinator.announce(someRun());
	await server.kill();
	const answers = new Answers();
	const sent = [
		answers.publish(coordinator, someItem()),
		coordinator.assign({ runId: "run", shard: 0, workerId: "worker" }),
	];
	await server.restart();
	await Promise.all(sent);
	serveShard(worker, 0, answers).catch(() => {});
	await answers.until(1);
	t.pass();
});

test("an acknowledged item without an answer is published again; an item with an answer is not", async (t) => {
	const cluster = await startCluster(t);
	const { coordinator } = cluster;
	const answers = new Answers();
	await coordinator.announce(someRun());
	const [answered, unanswered] = [someItem({ serial: 1 }), someItem({ serial: 2, shard: 1 })];
	for (const item of [answered, unanswered]) await answers.publish(coordinator, item);
	for (const { shard } of [answered, unanswered]) {
		const { value } = await cluster.worker.pull("run", shard, never)[Symbol.asyncIterator]().next();
		if (shard === answered.shard) answers.put(answered.serial);
		else await value?.ack();
	}
	const again = await cluster.worker.pull("run", unanswered.shard, never)[Symbol.asyncIterator]().next();
	t.deepEqual(again.value?.item, unanswered);
	t.is(coordinator.republishedItems, 1);
});

/**
 * Follows requests to stop a run, as a coordinator does; rejects when another process takes over or retires the run.
 */
async function untilEnded(bus: NatsBus): Promise<void> {
	for await (const _ of bus.watchCancels("run", never));
}

test("a restarted coordinator takes over its run with an empty queue; the former coordinator gets an error", async (t) => {
	const cluster = await startCluster(t);
	const { coordinator, worker } = cluster;
	await coordinator.announce(someRun({ shards: 1 }));
	const former = t.throwsAsync(untilEnded(coordinator), { code: "protocol", message: /taken over/ });
	await coordinator.publish(someItem(), never);
	const successor = await cluster.connect();
	await successor.announce(someRun({ shards: 1 }));
	const runs = new Seen(worker.watchRuns(never));
	const answers = new Answers();
	await answers.publish(successor, someItem({ serial: 7 }));
	const seen: number[] = [];
	serveShard(worker, 0, answers, ({ serial }) => seen.push(serial)).catch(() => {});
	await answers.until(1);
	t.deepEqual(seen, [7]);
	await former;
	t.is(runs.all.length, 1, "the worker keeps the run");
});

test("the coordinator gets an error if another process retires its run", async (t) => {
	const cluster = await startCluster(t);
	await cluster.coordinator.announce(someRun());
	const ended = t.throwsAsync(untilEnded(cluster.coordinator), {
		code: "protocol",
		message: /retired by another process/,
	});
	await (await cluster.connect()).retire("run");
	await ended;
	await t.throwsAsync(cluster.coordinator.publish(someItem(), never), { code: "protocol" });
});
