import { randomUUID } from "node:crypto";
import test, { type ExecutionContext } from "ava";
import { connect, type StreamConfig } from "nats";
import { connectNatsBus, type NatsBusOptions } from "../../../../shared/bus/nats/nats-bus.ts";
import { NatsNames } from "../../../../shared/bus/nats/subjects.ts";
import { type Notice, Notices } from "../../../../shared/notices.ts";
import { startNatsNodes } from "../../../nats-nodes.ts";
import { startNatsServer } from "../../../nats-server.ts";
import { someRun, someWorker } from "../messages.ts";
import { Seen, timing } from "./nats-cluster.ts";

const never = new AbortController().signal;
const server = await startNatsServer();
const raw = await connect({ servers: server.url });
const { streams } = await raw.jetstreamManager();
test.after.always(async () => {
	await raw.close();
	await server.stop();
});

async function connectAs(t: ExecutionContext, role: NatsBusOptions["role"], options: Partial<NatsBusOptions> = {}) {
	const bus = await connectNatsBus({ servers: server.url, role, timing, ...options });
	t.teardown(() => bus.close());
	return bus;
}

/** Collects notices, and waits for one. */
function follow() {
	let wake = () => {};
	const all: Notice[] = [];
	const notices = new Notices((notice) => {
		all.push(notice);
		wake();
	});
	const reach = async (kind: Notice["kind"], state: Notice["state"]): Promise<Notice> => {
		for (;;) {
			const found = all.find((notice) => notice.kind === kind && notice.state === state);
			if (found) return found;
			await new Promise<void>((resolve) => {
				wake = resolve;
			});
		}
	};
	return { notices, reach };
}

/** Foreign settings of the registry, and the error for each. */
const FOREIGN: readonly [settings: (names: NatsNames) => Partial<StreamConfig>, refusal: RegExp][] = [
	[
		({ runsKeys, workersKeys }) => ({ republish: { src: workersKeys, dest: runsKeys } }),
		/republish {"src":"\$KV\..*-workers\.>","dest":"\$KV\..*-runs\.>"}, expected none/,
	],
	[({ workersKeys }) => ({ subjects: [workersKeys, "also.this"] }), /subjects \[.*"also\.this"\], expected \[/],
	[() => ({ sources: [{ name: "another" }] }), /sources \[{"name":"another"}\], expected none/],
	[() => ({ max_age: 6_000_000_000 }), /max_age 6000000000, expected 5000000000/],
	[() => ({ retention: "workqueue" as StreamConfig["retention"] }), /retention "workqueue", expected "limits"/],
	[() => ({ discard: "new" as StreamConfig["discard"] }), /discard "new", expected "old"/],
	[() => ({ max_bytes: 1000 }), /max_bytes 1000, expected none/],
	[() => ({ deny_delete: false }), /deny_delete none, expected true/],
];

for (const [settings, refusal] of FOREIGN) {
	test(`a registry with other settings is refused: ${refusal}`, async (t) => {
		const prefix = randomUUID();
		const other = await connectAs(t, "coordinator", { prefix: `${prefix}-other` });
		await other.close();
		const names = new NatsNames(prefix);
		const { config } = await streams.info(new NatsNames(`${prefix}-other`).workersStream);
		const ours = { ...config, name: names.workersStream, subjects: [names.workersKeys] };
		await streams.add({ ...ours, ...settings(names) });
		const error = await t.throwsAsync(connectAs(t, "coordinator", { prefix }), { code: "protocol", message: refusal });
		t.true(error?.message.startsWith(`NATS stream ${names.workersStream}: found `), error?.message);
	});
}

test("an operator may set a description; a stream that mirrors another one is refused although it has no subjects", async (t) => {
	const prefix = randomUUID();
	const names = new NatsNames(prefix);
	await (await connectAs(t, "coordinator", { prefix })).close();
	const { config } = await streams.info(names.workersStream);
	await streams.update(names.workersStream, { ...config, description: "the workers" });
	await (await connectAs(t, "coordinator", { prefix })).close();
	await streams.delete(names.workersStream);
	await streams.add({ name: names.workersStream, mirror: { name: names.runsStream } });
	await t.throwsAsync(connectAs(t, "coordinator", { prefix }), { code: "protocol", message: /found mirror {"name":/ });
});

test("settings that change during a run are reported until they are corrected", async (t) => {
	const prefix = randomUUID();
	const { notices, reach } = follow();
	const names = new NatsNames(prefix);
	const heartbeatLimitMs = 300;
	const coordinator = await connectAs(t, "coordinator", { prefix, notices, timing: { heartbeatLimitMs } });
	await coordinator.announce(someRun());
	const { config } = await streams.info(names.workStream);
	await streams.update(names.workStream, { ...config, max_msgs: 7 });
	t.regex((await reach("stream-settings", "begun")).text, /-work: found max_msgs 7, expected none/);
	await streams.update(names.workStream, config);
	await reach("stream-settings", "over");
});

test("a worker waits with a notice until a coordinator has created the registry; it creates nothing itself", async (t) => {
	const prefix = randomUUID();
	const { notices, reach } = follow();
	const worker = await connectAs(t, "worker", { prefix, notices });
	const joining = worker.join(someWorker("worker"));
	t.regex((await reach("no-coordinator", "begun")).text, /no coordinator has connected yet/);
	t.false((await streams.names().next()).some((name) => name.includes(prefix)));
	const coordinator = await connectAs(t, "coordinator", { prefix });
	const workers = new Seen(coordinator.watchWorkers(never));
	await joining;
	await reach("no-coordinator", "over");
	await workers.until(({ length }) => length === 1);
});

test("a worker stops waiting for a coordinator when its bus is closed", async (t) => {
	const worker = await connectAs(t, "worker", { prefix: randomUUID() });
	const joining = worker.join(someWorker("worker"));
	await Promise.all([t.throwsAsync(joining, { code: "protocol", message: "the bus is closed" }), worker.close()]);
});

test("a single server keeps one copy of a stream; more copies are refused", async (t) => {
	const prefix = randomUUID();
	await connectAs(t, "coordinator", { prefix });
	t.is((await streams.info(new NatsNames(prefix).workStream)).config.num_replicas, 1);
	const refused = {
		code: "usage",
		message: /^--nats-replicas 3: NATS can't keep so many copies of a stream: replicas > 1/,
	};
	await t.throwsAsync(connectAs(t, "coordinator", { prefix: randomUUID(), replicas: 3 }), refused);
	const other = { code: "protocol", message: /num_replicas 1, expected 3/ };
	await t.throwsAsync(connectAs(t, "coordinator", { prefix, replicas: 3 }), other);
});

test("a cluster of too few servers keeps one copy of a stream; a notice reports it once, unless one copy was requested", async (t) => {
	const { nodes, stop } = await startNatsNodes(2);
	t.teardown(stop);
	const [servers = ""] = nodes.map(({ url }) => url);
	for (const replicas of [undefined, 1]) {
		const kinds: string[] = [];
		const notices = new Notices(({ kind }) => kinds.push(kind));
		const prefix = randomUUID();
		await connectAs(t, "coordinator", { servers, prefix, notices, replicas });
		await connectAs(t, "coordinator", { servers, prefix, notices, replicas });
		t.deepEqual(kinds, replicas ? [] : ["one-copy"]);
		t.false(notices.isHeldUp);
	}
});
