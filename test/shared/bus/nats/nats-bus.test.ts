import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import fc from "fast-check";
import { connect, headers } from "nats";
import { connectNatsBus } from "../../../../shared/bus/nats/nats-bus.ts";
import { decodeToken, encodeToken } from "../../../../shared/bus/nats/subjects.ts";
import { runSpecCodec, workerInfoCodec, workItemCodec } from "../../../../shared/messages.ts";
import { startNatsServer } from "../../../nats-server.ts";
import { busConformance } from "../conformance.ts";
import { someItem, someRun, someWorker } from "../messages.ts";
import { Answers, Seen, serveShard, startCluster } from "./nats-cluster.ts";

const never = new AbortController().signal;
// Long, because on a busy machine a worker must not seem dead.
const timing = { ackWaitMs: 4000, heartbeatLimitMs: 4000 };

const server = await startNatsServer();
const raw = await connect({ servers: server.url });
test.after.always(async () => {
	await raw.close();
	await server.stop();
});

/** Sends several requests, one after another, so that the server has also processed all earlier ones. */
async function settle(): Promise<void> {
	const jsm = await raw.jetstreamManager();
	for (let round = 0; round < 20; round++) await jsm.getAccountInfo();
}

busConformance(
	test,
	async () => {
		const bus = await connectNatsBus({ servers: server.url, role: "coordinator", timing, prefix: randomUUID() });
		let expectedMs = performance.now();
		const advance = async (ms: number) => {
			expectedMs += ms;
			await sleep(ms);
			await settle();
		};
		return { bus, advance, isLate: () => performance.now() - expectedMs > timing.ackWaitMs / 4 };
	},
	{ propertyRuns: 5 },
);

test("ids of any characters become valid NATS names, and are decoded from them", (t) => {
	const id = fc.string({ unit: "grapheme", minLength: 1, maxLength: 10 });
	const property = fc.property(id, (text) => {
		const token = encodeToken(text);
		return /^[\w=-]+$/.test(token) && decodeToken(token) === text;
	});
	t.notThrows(() => fc.assert(property, { seed: 1 }));
	t.throws(() => encodeToken(""), { code: "protocol" });
	t.throws(() => encodeToken("x".repeat(200)), { code: "protocol" });
});

test("an item larger than the server's limit is refused at once", async (t) => {
	const { coordinator } = await startCluster(t);
	await coordinator.announce(someRun());
	const sequence = { exampleId: 1, tokens: Array(400_000).fill(40000), poolFrom: 0, poolCount: 1, labels: [0] };
	const refused = {
		code: "protocol",
		message: /item 1: found 12\d+ bytes, expected at most 1047552, NATS. max_payload/,
	};
	await t.throwsAsync(coordinator.publish(someItem({ sequences: [sequence] }), never), refused);
});

test("invalid messages are counted and discarded, and the work continues", async (t) => {
	const { coordinator, worker, names, raw } = await startCluster(t);
	await coordinator.announce(someRun());
	const jsm = await raw.jetstreamManager();
	const js = raw.jetstream();
	const [consumer] = await jsm.consumers.list(names.workStream).next();
	const subject = String(consumer?.config.filter_subject).replace(/\d+$/, "0");
	const status = headers(408, "Request Timeout");
	const garbage = fc.sample(fc.uint8Array({ maxLength: 200 }), { numRuns: 20, seed: 1 });
	for (const bytes of garbage) await js.publish(subject, bytes);
	await js.publish(subject, undefined, { headers: status });
	await js.publish(subject, workItemCodec.encode(someItem({ runId: "another" })));
	await js.publish(subject, workItemCodec.encode(someItem({ shard: 1 })));
	const answers = new Answers();
	await answers.publish(coordinator, someItem({ serial: 5 }));
	serveShard(worker, 0, answers).catch(() => {});
	await answers.until(1);
	t.deepEqual(answers.serials, [5]);
	t.is(worker.refusedMessages, garbage.length + 3);
});

test("invalid entries of runs, assignments and workers are counted and ignored", async (t) => {
	const { coordinator, worker, names, raw } = await startCluster(t);
	await coordinator.announce(someRun());
	const workers = new Seen(coordinator.watchWorkers(never));
	const [runs, assignments] = [new Seen(worker.watchRuns(never)), new Seen(worker.watchAssignments("run", never))];
	const js = raw.jetstream();
	const bytes = Buffer.from("no message of ours");
	await js.publish(names.run("rogue"), bytes);
	await js.publish(names.run("rogue2"), runSpecCodec.encode(someRun({ runId: "run" })));
	await js.publish(names.assignment("run", 0), bytes);
	await js.publish(names.assignment("run", 99), Buffer.from("worker"));
	await js.publish(names.runsKeys.replace(">", "what"), bytes);
	await js.publish(names.worker("rogue"), bytes);
	await js.publish(names.worker("rogue"), workerInfoCodec.encode(someWorker("another")));
	await worker.join(someWorker("worker"));
	await coordinator.announce(someRun({ runId: "second" }));
	await coordinator.assign({ runId: "run", shard: 1, workerId: "worker" });
	await Promise.all([workers, runs, assignments].map((seen) => seen.until(({ length }) => length > 0)));
	await runs.until(({ length }) => length === 2);
	await assignments.until(({ length }) => length === 1);
	t.deepEqual(workers.all, [{ type: "joined", worker: someWorker("worker") }]);
	t.deepEqual(assignments.all, [{ runId: "run", shard: 1, workerId: "worker" }]);
	t.is(worker.refusedMessages, 5);
	t.is(coordinator.refusedMessages, 7);
});

test("a missing server and credentials in a URL give different errors", async (t) => {
	const connectTo = (servers: string) => connectNatsBus({ servers, role: "worker" });
	await t.throwsAsync(connectTo("nats://127.0.0.1:1"), { code: "offline", message: /127\.0\.0\.1:1/ });
	await t.throwsAsync(connectTo("nats://me:secret@127.0.0.1"), {
		code: "usage",
		message: /^(?!.*secret).*environment/,
	});
});
