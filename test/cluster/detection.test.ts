import { join } from "node:path";
import test from "ava";
import { connect } from "nats";
import { NATS_TIMING } from "../../shared/bus/nats/config.ts";
import { writeTexts } from "../cli/tailtune.ts";
import { startNatsServer } from "../nats-server.ts";
import { newFolder } from "../new-folder.ts";
import { type RunEvent, RunProcess, startWorkerProcess } from "./processes.ts";

// Promise 3 of the design, nothing lost: dead workers are noticed within the promised times, which aren't measured
// speeds.

const KILLED_MS = 2000;
/** Added to the limit, because the coordinator asks the server whether a heartbeat is in transit. */
const SLACK_MS = 2000;

const losses: [title: string, signal: "SIGKILL" | "SIGSTOP", reason: string, limitMs: number][] = [
	["a killed worker is noticed by its broken stream", "SIGKILL", "disconnected", KILLED_MS],
	["a worker without heartbeats is given up", "SIGSTOP", "no-heartbeat", NATS_TIMING.heartbeatLimitMs + SLACK_MS],
];

for (const [title, signal, reason, limitMs] of losses) {
	test.serial(`${title}, and other workers get its shards within 2 s`, async (t) => {
		const folder = await newFolder();
		const server = await startNatsServer();
		t.teardown(() => server.stop());
		const cache = join(folder, "cache");
		const workers = await Promise.all([1, 2].map(() => startWorkerProcess(server.url, cache)));
		for (const worker of workers) t.teardown(() => worker.end());
		const raw = await connect({ servers: server.url });
		t.teardown(() => raw.close());
		const run = RunProcess.begin(await writeTexts(120), join(folder, "run"), "--nats", server.url);
		await run.reach("epoch");
		const [lost, other] = workers.map(({ id }) => id);
		const heldBefore =
			sharesIn(run.seen.filter(({ event }) => String(event).startsWith("worker-")).at(-1))[lost ?? ""] ?? [];
		const answers: { shard: number; atMs: number }[] = [];
		const lostMs = Date.now();
		workers[0]?.signal(signal);
		// An item is acknowledged when its answer was counted; the consumer's name ends with the shard.
		raw.subscribe("$JS.ACK.tailtune-work.>", {
			callback: (_, { subject, data }) => {
				const shard = Number(subject.split(".")[3]?.split("_").at(-1));
				if (Buffer.from(data).toString() === "+ACK") answers.push({ shard, atMs: Date.now() });
			},
		});
		const left = await run.reach(
			reason === "no-heartbeat" ? "worker-left" : "worker-suspended",
			({ reason: found }) => found !== "shut-down",
		);
		t.is(left.reason, reason);
		t.true(Number(left.at) - lostMs < limitMs, `noticed after ${Number(left.at) - lostMs} ms`);
		t.deepEqual(sharesIn(left), { [other ?? ""]: [0, 1, 2, 3] });
		t.is(await run.end(), "");
		t.true(heldBefore.length > 0);
		for (const shard of heldBefore) {
			const elsewhere = answers.find((answer) => answer.shard === shard && answer.atMs >= Number(left.at));
			const elsewhereMs = (elsewhere?.atMs ?? Infinity) - Number(left.at);
			t.true(elsewhereMs < KILLED_MS, `shard ${shard} was first answered elsewhere after ${elsewhereMs} ms`);
			t.log(`noticed after ${Number(left.at) - lostMs} ms, shard ${shard} answered elsewhere ${elsewhereMs} ms later`);
		}
	});
}

function sharesIn(event: RunEvent | undefined): Record<string, number[]> {
	return (event?.shards ?? {}) as Record<string, number[]>;
}
