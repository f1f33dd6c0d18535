import { join } from "node:path";
import test from "ava";
import { jsonLineSchema } from "../../coordinator/events/json-line-schemas.ts";
import type { RunView } from "../../shared/bus/bus.ts";
import type { RunProgress } from "../../shared/messages.ts";
import { QUICK, start, tailtune, writeTexts } from "../cli/tailtune.ts";
import { startNatsServer } from "../nats-server.ts";
import { newFolder } from "../new-folder.ts";

import { LONG, linesOf, RunProcess, startWorkerProcess } from "./processes.ts";

// Promise 4 of the design, resumable: also by a command on another host.

test.serial("a client lists runs and workers, and stops a run that can then be resumed", async (t) => {
	const folder = await newFolder();
	const data = await writeTexts(120);
	const server = await startNatsServer();
	t.teardown(() => server.stop());
	const ask = (...args: string[]) => tailtune(...args, "--nats", server.url);
	t.like(await ask("runs"), { exitCode: 0, stdout: "no runs" });
	t.like(await ask("workers"), { exitCode: 0, stdout: "no workers" });
	t.like(await ask("cancel", "none"), { exitCode: 1, stderr: NO_RUN });
	const out = join(folder, "run");
	const run = new RunProcess(["--data", data, ...LONG, "--shards", "2", "--out", out, "--nats", server.url]);
	// Without a worker the run waits and reports it.
	await run.reach("notice", ({ text }) => text === "no workers: waiting for one to join");
	const watchingAll = start(["runs", "--watch", "--json", "--nats", server.url]);
	const heldUp = await watchRun(watchingAll, ({ notices }) => notices.length > 0);
	t.deepEqual(heldUp.progress.notices, ["no workers: waiting for one to join"]);
	watchingAll.kill("SIGINT");
	const worker = await startWorkerProcess(server.url, join(folder, "cache"));
	t.teardown(() => worker.end());
	await run.reach("epoch");
	const { runs } = JSON.parse((await ask("runs", "--json")).stdout);
	t.is(runs.length, 1);
	const { runId } = runs[0].spec;
	const watching = start(["runs", runId, "--watch", "--json", "--nats", server.url]);
	// A run publishes its progress every second, so this can be later than the end of an epoch.
	const { spec, assignments, progress } = await watchRun(watching, ({ epoch }) => epoch >= 1);
	t.like(spec, { shards: 2, tail: { trainable: "TRAINABLE_LAST_BLOCK" } });
	t.is(assignments.length, 2);
	t.like(progress, { runId, folder: out, phase: "training", unit: "steps", epochs: 500 });
	t.true(progress.done >= 21 && (progress.validation?.accuracy ?? 0) > 0);
	const details = (await ask("runs", runId.slice(0, 8))).stdout;
	for (const fact of [runId, spec.modelHash, "last-block", spec.tensorsAddress, out, worker.id])
		t.true(details.includes(fact), `${fact} in ${details}`);
	t.regex((await ask("workers")).stdout, new RegExp(`${worker.id}.*2 of ${runId}`));

	const ui = start(["ui", "--nats", server.url, "--json"]);
	const { value: line } = await linesOf(ui)[Symbol.asyncIterator]().next();
	const { origin, hash } = new URL(JSON.parse(line).text.replace("dashboard: ", ""));
	const headers = { authorization: `Bearer ${hash.replace("#token=", "")}` };
	const listCluster = async () =>
		(await fetch(`${origin}/cluster`, { headers })).json() as Promise<{ runs: unknown[] }>;
	// It connects after it printed its address.
	let shown = await listCluster();
	while (shown.runs.length === 0) shown = await listCluster();
	t.like(shown.runs, [{ id: runId, workers: [{ id: worker.id, shards: [0, 1] }] }]);
	ui.kill("SIGINT");
	t.is((await ui).exitCode, 0);

	const cancelled = await ask("cancel", runId);
	t.is(cancelled.exitCode, 0, cancelled.stderr);
	t.true(cancelled.stdout.includes(`npx tailtune train --resume ${out}`));
	t.regex(await run.end(), /exit code 130: .*stopped; to resume: npx tailtune train --resume/);
	t.is((await watching).exitCode, 0);
	t.like(await ask("runs"), { exitCode: 0, stdout: "no runs" });
	const resumed = new RunProcess(["--resume", out, "--nats", server.url]);
	const { done } = await resumed.reach("phase", ({ name }) => name === "training");
	t.true(Number(done) >= progress.done, `${done} steps are done`);
	resumed.signal("SIGKILL");
	await resumed.end();
});

test.serial("a run that waits for a worker can be stopped at once", async (t) => {
	const folder = await newFolder();
	const server = await startNatsServer();
	t.teardown(() => server.stop());
	const flags = ["--data", await writeTexts(30), ...QUICK, "--nats", server.url];
	for (const [name, shards] of [
		["waits for shards", []],
		["waits for work", ["--shards", "1"]],
	] as const) {
		const run = new RunProcess([...flags, ...shards, "--out", join(folder, name)]);
		await run.reach("notice", ({ text }) => text === "no workers: waiting for one to join");
		run.signal("SIGINT");
		t.regex(await run.end(), /^exit code 130: .*stopped/);
	}
});

const NO_RUN = "tailtune: run none: not found; tailtune runs lists all runs";

/** Reads the output of `runs --watch --json` until the progress of the run is as wanted. Returns the run. */
async function watchRun(
	watching: ReturnType<typeof start>,
	isWanted: (progress: RunProgress) => boolean,
): Promise<Run> {
	const shown = linesOf(watching)[Symbol.asyncIterator]();
	for (;;) {
		const { value, done } = await shown.next();
		if (done) throw new Error(`the output ended: ${(await watching).stderr}`);
		const line = JSON.parse(value);
		jsonLineSchema.parse(line);
		const [run] = line.runs;
		if (run?.progress && isWanted(run.progress)) return run;
	}
}

type Run = RunView & { readonly progress: RunProgress };
