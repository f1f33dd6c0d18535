import { fileURLToPath } from "node:url";
import test from "ava";
import { connect } from "nats";
import { readNatsCredentials } from "../../../../shared/bus/nats/credentials.ts";
import { connectNatsBus } from "../../../../shared/bus/nats/nats-bus.ts";
import type { NatsRole } from "../../../../shared/bus/nats/subjects.ts";
import { startNatsServer } from "../../../nats-server.ts";
import { someItem, someRun, someWorker } from "../messages.ts";
import { Answers, Seen, serveShard, timing } from "./nats-cluster.ts";

const config = fileURLToPath(new URL("../../../../deploy/nats/nats.conf", import.meta.url));
const never = new AbortController().signal;

/** Keys that a client tries to overwrite, and the log line of each refusal. */
const FORGED: readonly [subject: string, refusal: RegExp][] = [
	["$KV.tailtune-runs.run.run", /run run refused/],
	["$KV.tailtune-runs.assign.run.0", /assignment of shard 0 refused/],
	["$KV.tailtune-workers.worker", /tailtune-workers\.worker refused/],
];

// A server checks permissions for published subjects, but not for the reply subject: the server itself writes there.
test("an entry that a client overwrites through a reply of the server is refused, and the run continues", async (t) => {
	for (const role of ["COORDINATOR", "WORKER", "CLIENT"]) process.env[`TAILTUNE_${role}_PASSWORD`] = "of-the-test";
	const server = await startNatsServer({ config });
	t.teardown(() => server.stop());
	const open = async (role: NatsRole, log: (line: string) => void = () => {}) => {
		const credentials = await readNatsCredentials({ TAILTUNE_NATS_USER: role, TAILTUNE_NATS_PASSWORD: "of-the-test" });
		const bus = await connectNatsBus({ servers: server.url, role, timing, credentials, log });
		t.teardown(() => bus.close());
		return bus;
	};
	let onLine: (line: string) => void = () => {};
	const coordinator = await open("coordinator", (line) => onLine(line));
	const worker = await open("worker");
	await coordinator.announce(someRun());
	await coordinator.assign({ runId: "run", shard: 0, workerId: "worker" });
	await worker.join(someWorker("worker"));
	const answers = new Answers();
	serveShard(worker, 0, answers).catch(() => {});
	const workers = new Seen(coordinator.watchWorkers(never));
	await workers.until(({ length }) => length === 1);
	await answers.publish(coordinator, someItem());
	await answers.until(1);

	const client = await connect({ servers: server.url, user: "client", pass: "of-the-test" });
	t.teardown(() => client.close());
	for (const [reply, refusal] of FORGED) {
		const refused = new Promise<void>((resolve) => {
			onLine = (line) => refusal.test(line) && resolve();
		});
		client.publish("$JS.API.STREAM.MSG.GET.KV_tailtune-runs", "", { reply });
		await refused;
	}
	await answers.publish(coordinator, someItem({ serial: 2 }));
	await answers.until(2);
	t.deepEqual(answers.serials, [1, 2]);
	const late = new Seen((await open("worker")).watchRuns(never));
	await late.until(({ length }) => length === 1);
	t.like(late.all[0], { type: "announced", run: { runId: "run" } });
});
