import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { OpenCluster } from "../../coordinator/cluster/cluster.ts";
import { openEmbeddedCluster } from "../../coordinator/cluster/embedded-cluster.ts";
import { openNatsCluster } from "../../coordinator/cluster/nats-cluster.ts";
import { RunEvents } from "../../coordinator/events/run-events.ts";
import type { RunResult } from "../../coordinator/run-folder/result.ts";
import { train } from "../../coordinator/training/train.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { resolveConfig } from "../../shared/settings/resolve-config.ts";
import { startWorker } from "../../worker/run/lifecycle.ts";
import { start } from "../cli/tailtune.ts";
import { startNatsServer } from "../nats-server.ts";
import { type Link, openRelay, type Relay } from "./relay.ts";

/** Worker processes of a run. */
export interface Workers {
	readonly count: number;
	readonly threads: number;
	/** Simulated link per connection; its bytes are counted. "counted": at full speed. Unset: bytes aren't counted. */
	readonly link?: Link | "counted";
}

/** A run, with the time and bytes from the end of its first step to the end of its last. */
export interface ClusterRun {
	readonly result: RunResult;
	readonly steps: number;
	readonly seconds: number;
	/** Bytes between all workers and the coordinator (`tensorBytes`) or NATS (`busBytes`). */
	readonly tensorBytes: number;
	readonly busBytes: number;
}

interface Mark {
	readonly steps: number;
	readonly atMs: number;
	readonly tensorBytes: number;
	readonly busBytes: number;
}

/**
 * Trains with a coordinator in this process.
 * @param folder for the run and for the workers' cache
 * @param workers default: the embedded worker
 */
export async function measureCluster(
	folder: string,
	settings: Partial<TrainConfig>,
	workers?: Workers,
): Promise<ClusterRun> {
	const out = join(folder, randomUUID());
	const config = await resolveConfig({ ...settings, out });
	const marks: Mark[] = [];
	const relays: { tensors?: Relay; bus?: Relay } = {};
	let steps = 0;
	const events = new RunEvents();
	events.listen((event) => {
		if (event.event !== "progress" || event.name !== "training") return;
		steps = event.done;
		const { tensors, bus } = relays;
		marks.push({ steps, atMs: performance.now(), tensorBytes: total(tensors), busBytes: total(bus) });
	});
	const run = async (openCluster: OpenCluster) => {
		const { result } = await train(config, { openCluster, events, interrupt: new AbortController().signal });
		return result;
	};
	const result = workers ? await overNats(folder, workers, relays, run) : await run(embedded);
	const [first, last] = [marks[0], marks.at(-1)];
	if (!first || !last || first === last) throw new Error("expected at least two steps");
	return {
		result,
		steps: last.steps - first.steps,
		seconds: (last.atMs - first.atMs) / 1000,
		tensorBytes: last.tensorBytes - first.tensorBytes,
		busBytes: last.busBytes - first.busBytes,
	};
}

const embedded: OpenCluster = (run) => openEmbeddedCluster({ startWorker }, run);

async function overNats(
	folder: string,
	{ count, threads, link }: Workers,
	relays: { tensors?: Relay; bus?: Relay },
	run: (openCluster: OpenCluster) => Promise<RunResult>,
): Promise<RunResult> {
	const server = await startNatsServer();
	const shape = link === "counted" ? undefined : link;
	if (link) relays.bus = await openRelay(portOf(server.url), shape);
	const nats = relays.bus ? `nats://127.0.0.1:${relays.bus.port}` : server.url;
	const advertise = async (address: string) => {
		relays.tensors = await openRelay(portOf(address), shape);
		return `127.0.0.1:${relays.tensors.port}`;
	};
	const processes = Array.from({ length: count }, () =>
		start(["worker", "--nats", nats, "--threads", `${threads}`], { XDG_CACHE_HOME: join(folder, "cache") }),
	);
	try {
		// Workers join when a coordinator has connected; the run begins when all are there.
		const joined = Promise.all(processes.map(({ stdout }) => lineWith(stdout as Readable, " joined ")));
		return await run(async (of) => {
			const cluster = await openNatsCluster({ nats: server.url, advertise: link && advertise }, of);
			await joined;
			return cluster;
		});
	} finally {
		for (const worker of processes) worker.kill("SIGKILL");
		await Promise.all(processes);
		relays.tensors?.close();
		relays.bus?.close();
		await server.stop();
	}
}

async function lineWith(stream: Readable, text: string): Promise<void> {
	for await (const line of createInterface({ input: stream })) if (line.includes(text)) return;
	throw new Error(`a process ended without a line with "${text}"`);
}

function total(relay: Relay | undefined): number {
	return relay ? relay.bytes.fromTarget + relay.bytes.toTarget : 0;
}

function portOf(address: string): number {
	return Number(/:(\d+)$/.exec(address)?.[1]);
}
