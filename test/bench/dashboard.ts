import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { openDashboard } from "../../coordinator/dashboard/open-dashboard.ts";
import { RunEvents } from "../../coordinator/events/run-events.ts";
import { emitStart, emitStep, emitWorkers } from "../coordinator/dashboard/events.ts";
import { pageOptions } from "../coordinator/dashboard/page-options.ts";
import { sampleLine } from "../coordinator/run-folder/sample-run.ts";
import type { Bench, Row } from "./bench.ts";

const STEPS = 100_000;
/** Steps between two pauses, and the pause: 100,000 steps take at least half a minute. */
const BURST = 30;
const PAUSE_MS = 9;
const WORKERS = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`vm-${i}`, "computing"] as const));

/** Program of the viewers' process: reads the events and prints a line when all viewers are connected. */
const VIEWERS = `
	const [origin, token, count] = process.argv.slice(1);
	let open = 0;
	for (let i = 0; i < Number(count); i++)
		require("node:http").get(origin + "/events", { headers: { authorization: "Bearer " + token } }, (response) => {
			response.resume();
			if (++open === Number(count)) console.log("open");
		});`;

/** Measures the processor time and the memory that a dashboard costs a long run. */
export function dashboardBench(): Bench {
	return {
		name: "dashboard",
		run: async () => [{ title: "dashboard of 100,000 steps", rows: [await measure(0), await measure(50)] }],
	};
}

async function measure(viewers: number): Promise<Row> {
	const events = new RunEvents();
	const dashboard = await openDashboard(events, pageOptions());
	const child = await startViewers(dashboard.url, viewers);
	const before = process.cpuUsage();
	const began = performance.now();
	const heaps = await emitRun(events);
	const seconds = (performance.now() - began) / 1000;
	const { user, system } = process.cpuUsage(before);
	await dashboard.close();
	child?.kill();
	const cpu = (user + system) / 1e6;
	const values = { "CPU s": cpu, "wall s": seconds, "us per step": (1e6 * cpu) / STEPS };
	return { figure: `${viewers} viewers`, values: { ...values, "heap MB": heaps.map((mb) => mb.toFixed(0)).join(" ") } };
}

async function startViewers(url: string, count: number): Promise<ChildProcess | undefined> {
	if (count === 0) return undefined;
	const { origin, hash } = new URL(url);
	const args = ["-e", VIEWERS, origin, hash.replace("#token=", ""), String(count)];
	const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
	await once(child.stdout, "data");
	return child;
}

/** Emits the events of a run. Returns the used heap in MB, ten times. */
async function emitRun(events: RunEvents): Promise<number[]> {
	const heaps: number[] = [];
	emitStart(events);
	const phase = events.phase("training", STEPS, "steps");
	for (let step = 1; step <= STEPS; step++) {
		phase.advance(1);
		emitStep(events, step);
		if (step % 50 === 0) events.emit({ event: "step", ...sampleLine("step", step) });
		if (step % 1000 === 0) events.emit({ event: "epoch", ...sampleLine("epoch", step) });
		if (step % 3000 === 0) emitWorkers(events, step / 3000, WORKERS);
		if (step % (STEPS / 10) === 0) heaps.push(process.memoryUsage().heapUsed / 1e6);
		if (step % BURST === 0) await sleep(PAUSE_MS);
	}
	return heaps;
}
