import test from "ava";
import { type Notice, Notices } from "../../../../shared/notices.ts";
import { someItem, someRun } from "../messages.ts";
import { beginRun, manyItems, Seen, serveShard, startCluster, untilAnswered } from "./nats-cluster.ts";

const never = new AbortController().signal;
const COUNT = 200;
const SHARDS = 4;

for (const wipe of [false, true]) {
	test(`a server killed in mid-work and restarted ${wipe ? "without" : "with"} its files costs time only`, async (t) => {
		const cluster = await startCluster(t);
		const { answers, publishing } = await beginRun(cluster, manyItems(COUNT, SHARDS), SHARDS);
		const runs = new Seen(cluster.worker.watchRuns(never));
		const workers = new Seen(cluster.coordinator.watchWorkers(never));
		await workers.until(({ length }) => length > 0);
		await untilAnswered(answers, COUNT, async (answered) => {
			if (answered !== COUNT / 4) return;
			// So that more is lost than the answers that the coordinator has asked for at once.
			if (wipe) await publishing;
			await cluster.server.restart({ wipe });
		});
		await publishing;
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

test("after a wipe a newcomer finds the run, its assignments and the workers", async (t) => {
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

const losses = ["work", "answers", "items", "run"] as const;
for (const loss of losses) {
	test(`what is lost behind our back is brought back: ${loss}`, async (t) => {
		const cluster = await startCluster(t);
		const { names, raw } = cluster;
		const notices: string[] = [];
		const report = ({ kind, state }: Notice) => void notices.push(`${kind} ${state}`);
		const coordinator = await cluster.connect({ notices: new Notices(report) });
		const jsm = await raw.jetstreamManager();
		await coordinator.announce(someRun({ shards: SHARDS }));
		for (const item of manyItems(20, SHARDS)) await coordinator.publish(item);
		if (loss === "work") await jsm.streams.delete(names.workStream);
		else if (loss === "answers") await jsm.streams.delete(names.answersStream);
		else if (loss === "items") await jsm.streams.purge(names.workStream);
		else await jsm.streams.delete(names.runsStream);
		for (let shard = 0; shard < SHARDS; shard++) serveShard(cluster.worker, shard).catch(() => {});
		await untilAnswered(coordinator.watchAnswers("run", never), 20);
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

test("what is sent while the server is away is delivered when it is back", async (t) => {
	const cluster = await startCluster(t);
	const { coordinator, server, worker } = cluster;
	await coordinator.announce(someRun());
	await server.kill();
	const sent = [coordinator.publish(someItem()), coordinator.assign({ runId: "run", shard: 0, workerId: "worker" })];
	await server.restart();
	await Promise.all(sent);
	serveShard(worker, 0).catch(() => {});
	await untilAnswered(coordinator.watchAnswers("run", never), 1);
	t.pass();
});

test("a coordinator that comes back takes over its run with an empty queue; the former one is told", async (t) => {
	const cluster = await startCluster(t);
	const { coordinator, worker } = cluster;
	const { answers } = await beginRun(cluster, [], 1);
	await coordinator.publish(someItem());
	const former = t.throwsAsync(untilAnswered(answers, 2), { code: "protocol", message: /taken over/ });
	const successor = await cluster.connect();
	await successor.announce(someRun({ shards: 1 }));
	const runs = new Seen(worker.watchRuns(never));
	await successor.publish(someItem({ part: 7 }));
	const parts: number[] = [];
	for await (const { part } of successor.watchAnswers("run", never)) {
		parts.push(part);
		if (part === 7) break;
	}
	t.deepEqual(parts, [7]);
	await former;
	t.is(runs.all.length, 1, "the worker keeps the run");
});

test("a run retired by somebody else ends for its coordinator with an error", async (t) => {
	const cluster = await startCluster(t);
	const { answers } = await beginRun(cluster, [], 1);
	const told = t.throwsAsync(untilAnswered(answers, 1), { code: "protocol", message: /retired by somebody else/ });
	await (await cluster.connect()).retire("run");
	await told;
	await t.throwsAsync(cluster.coordinator.publish(someItem()), { code: "protocol" });
});
