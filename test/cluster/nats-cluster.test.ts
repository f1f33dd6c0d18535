import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { connect, type JetStreamManager, type StreamInfo } from "nats";
import { NatsNames } from "../../shared/bus/nats/subjects.ts";
import { ENGINE, QUICK, writeTexts } from "../cli/tailtune.ts";
import { startNatsCluster } from "../nats-server.ts";
import { newFolder } from "../new-folder.ts";
import { hashWeights, type RunEvent, RunProcess, startWorkerProcess } from "./processes.ts";

// Promise 2 of the design, elastic determinism, with faults in a cluster of three nats-servers.

const { workStream, runsStream, workersStream, progressStream } = new NatsNames();
const STORED = [workStream, runsStream];
const STREAMS = [...STORED, workersStream, progressStream];
const WHOLE_LIMIT_MS = 60_000;

test("the weights are the same if servers of a NATS cluster die, also two at a time, and restart", async (t) => {
	const folder = await newFolder();
	const { servers, urls } = await startNatsCluster();
	for (const server of servers) t.teardown(() => server.stop());
	const raw = await connect({ servers: urls, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
	t.teardown(() => raw.close());
	const { streams } = await raw.jetstreamManager({ checkAPI: false, timeout: 1000 });
	const flags = ["--data", await writeTexts(60), ...QUICK, "--epochs", "16", "--shards", "4", ...ENGINE];
	const embedded = new RunProcess([...flags, "--out", join(folder, "embedded")]);
	t.is(await embedded.end(), "");

	const worker = await startWorkerProcess(urls, join(folder, "cache"));
	t.teardown(() => worker.end());
	const run = new RunProcess([...flags, "--out", join(folder, "clustered"), "--nats", urls]);
	await run.reach("epoch");
	for (const name of STREAMS) t.is((await streams.info(name)).config.num_replicas, 3, name);

	// Kills the leader of the stream of items.
	const leader = Number((await streams.info(workStream)).cluster?.leader?.at(-1));
	await servers[leader]?.restart();
	await run.reach("epoch");
	await untilWhole(streams, run);
	await untilAnswered(run);

	// Kills two of three servers: there is no majority, and the run waits and reports it.
	const lost = [servers[leader], servers[(leader + 1) % 3]];
	await Promise.all(lost.map((server) => server?.kill()));
	await run.reach("notice", isNoAnswer("begun"));
	await Promise.all(lost.map((server) => server?.restart()));
	await run.reach("notice", isNoAnswer("over"));
	await run.reach("epoch");

	for (const server of servers) {
		await untilWhole(streams, run);
		await server.restart();
	}
	await run.reach("epoch");
	t.is(await run.end(), "");
	t.is(await hashWeights(join(folder, "clustered")), await hashWeights(join(folder, "embedded")));
});

function isNoAnswer(state: string) {
	return (found: RunEvent) => found.kind === "no-answer" && found.state === state;
}

/** Waits until no earlier lack of answers lasts: a new one is reported only after its end. */
async function untilAnswered(run: RunProcess): Promise<void> {
	// Events that were written before this step are read then.
	await run.reach("step");
	const last = run.seen.findLast(({ event, kind }) => event === "notice" && kind === "no-answer");
	if (last?.state === "begun") await run.reach("notice", isNoAnswer("over"));
}

/**
 * Waits until every server has a current copy of each stream with a file. Meanwhile the run is stopped, so that it
 * doesn't end. Streams in memory have what is said again every second, and nats-server 2.9 sometimes leaves one behind.
 * @throws Error that shows the stream if a copy isn't current in time
 */
async function untilWhole(streams: JetStreamManager["streams"], run: RunProcess): Promise<void> {
	run.signal("SIGSTOP");
	for (const name of STORED) {
		const beganMs = performance.now();
		while (!isWhole(await streams.info(name).catch(() => undefined))) {
			if (performance.now() - beganMs > WHOLE_LIMIT_MS)
				throw new Error(`${name} isn't whole: ${JSON.stringify(await streams.info(name))}`);
			await sleep(100);
		}
	}
	run.signal("SIGCONT");
}

function isWhole(info: StreamInfo | undefined): boolean {
	const { leader, replicas = [] } = info?.cluster ?? {};
	return leader !== undefined && replicas.every(({ current, offline }) => current && !offline);
}
