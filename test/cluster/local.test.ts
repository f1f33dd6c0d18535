import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { execa } from "execa";
import { WorkerProcesses } from "../../coordinator/cluster/worker-processes.ts";
import type { StateChanges } from "../../coordinator/dashboard/state-changes.ts";
import { readRunResult } from "../../coordinator/run-folder/result-files.ts";
import { tailtune, writeTexts } from "../cli/tailtune.ts";
import { hasBrowser, launchChromium, openPage, saveScreenshot, waitForText } from "../coordinator/chromium.ts";
import { viewEvents } from "../coordinator/dashboard/view-events.ts";
import { newFolder } from "../new-folder.ts";
import { hashWeights, LONG, listChildren, RunProcess, untilGone } from "./processes.ts";
import { RUN_LIMIT_MS } from "./time-limit.ts";

// Promises 2 (elastic determinism) and 4 (resumable) of the design, for processes of one machine.

const data = await writeTexts(120);
const folder = await newFolder();

test.serial(
	"--workers 2 gives the same bits as one process, also if a worker and nats-server are killed, as its page shows",
	async (t) => {
		const embedded = join(folder, "embedded");
		t.is(await RunProcess.begin(data, embedded).end(), "");
		const out = join(folder, "local");
		const run = RunProcess.begin(data, out, "--workers", "2", "--dashboard", "127.0.0.1:0");
		const { text: told } = await run.reach("line", ({ text }) => String(text).startsWith("dashboard: "));
		const dashboard = await watchDashboard(t, String(told).replace("dashboard: ", ""));
		await run.reach("epoch");
		const [worker] = await listChildren(run.pid, " worker ");
		process.kill(worker ?? 0, "SIGKILL");
		await run.reach("line", ({ text }) => text === "a worker process died with SIGKILL; starting another");
		const [helper] = await listChildren(run.pid, "nats-server");
		const [server] = await listChildren(helper ?? 0);
		process.kill(server ?? 0, "SIGKILL");
		await run.reach("line", ({ text }) => text === "nats-server died; starting another");
		const lost = run.seen.find(({ reason }) => reason === "disconnected") as { worker: { workerId: string } };
		await dashboard.checkLost(lost.worker.workerId);
		t.is(await run.end(), "");
		t.is(await hashWeights(out), await hashWeights(embedded));
		const details = (of: string) => readFile(join(of, "test-details.json"), "utf8");
		t.is(await details(out), await details(embedded), "the same words mattered");
		const { audit, traffic } = await readRunResult(out);
		t.is(
			Object.values(audit.workers).reduce((sum, parts) => sum + parts, 0),
			audit.parts,
		);
		t.true(traffic && traffic.sent > 10_000 && traffic.received > 10_000, JSON.stringify(traffic));
		t.is((await readRunResult(embedded)).traffic, undefined);
	},
);

/** Follows a run as its page does, and also opens the page if there is a browser. */
async function watchDashboard(t: ExecutionContext, address: string) {
	const { origin, hash } = new URL(address);
	const events = await viewEvents(`${origin}/events`, { authorization: `Bearer ${hash.replace("#token=", "")}` });
	let seen: StateChanges = {};
	const reach = async (isWanted: () => boolean | undefined) => {
		while (!isWanted()) {
			const message = await events.next();
			if (!message) throw new Error(`the events ended, the last state was ${JSON.stringify(seen)}`);
			seen = { ...seen, ...message.data };
		}
	};
	await reach(() => seen.workers?.length === 2 && seen.workers.every(({ state }) => /computing|waiting/.test(state)));
	const page = await openRunPage(t, address);
	/** Waits for the end of the run, and checks that a worker was seen to compute, and then to be silent. */
	const checkLost = async (workerId: string) => {
		await reach(() => seen.end?.state === "finished");
		await events.close();
		const lost = seen.workers?.find(({ id }) => id === workerId);
		t.is(lost?.state, "silent");
		t.regex(lost?.lane ?? "", /^\d*[1-9]\d*s+$/);
		await page?.checkLost(workerId);
	};
	return { checkLost };
}

/** @returns undefined if no browser is installed */
async function openRunPage(t: ExecutionContext, address: string) {
	const browser = await launchChromium();
	if (!hasBrowser(t, browser, "the part with a page")) return undefined;
	t.teardown(() => browser.close());
	const { page, complaints } = await openPage(browser, address);
	await waitForText(page, ".workers tr:nth-child(2) [data-state]", /computing|waiting/, RUN_LIMIT_MS);
	const checkLost = async (workerId: string) => {
		await waitForText(page, "#phase", "finished", RUN_LIMIT_MS);
		await saveScreenshot(page, "local-worker-killed");
		// The page shows 8 of 32 digits.
		const row = page.locator(".workers tr", { hasText: workerId.slice(0, -28) });
		t.is(await row.locator("[data-state]").textContent(), "silent");
		for (const kind of ["computing", "silent"]) t.is(await row.locator(`.lane path.${kind}`).count(), 1, kind);
		t.deepEqual(complaints, []);
		// The run waits until its viewers are gone.
		await browser.close();
	};
	return { checkLost };
}

test.serial("without --shards there are as many shards as workers, and no secret is on a command line", async (t) => {
	const out = join(folder, "two-shards");
	const run = new RunProcess([...LONG, "--data", data, "--out", out, "--workers", "2"]);
	await run.reach("progress", ({ name }) => name === "training");
	t.is(JSON.parse(await readFile(join(out, "config.json"), "utf8")).shards, 2);
	const { stdout } = await execa("ps", ["-eo", "args"]);
	const commands = stdout.split("\n").filter((line) => line.includes("tailtune"));
	t.true(commands.some((line) => line.includes("nats-server")));
	t.deepEqual(
		commands.filter((line) => /[0-9a-f]{48}/.test(line)),
		[],
	);
	run.signal("SIGINT");
	t.regex(await run.end(), /exit code 130: .*--resume/);
});

for (const signal of ["SIGINT", "SIGKILL"] as const) {
	test.serial(`after ${signal} of the coordinator no process that it started is left`, async (t) => {
		const out = join(folder, signal);
		const run = new RunProcess([...LONG, "--data", data, "--out", out, "--workers", "2"]);
		await run.reach("progress", ({ name }) => name === "training");
		const started = await listChildren(run.pid);
		t.is(started.length, 3, "the helper that runs nats-server, and two workers");
		const all = [...started, ...(await Promise.all(started.map((pid) => listChildren(pid)))).flat()];
		t.true(all.length > 3, "includes the nats-server");
		run.signal(signal);
		await run.end();
		await untilGone(all);
		t.pass();
	});
}

test.serial("worker processes that keep failing are given up after some restarts, with the reason", async (t) => {
	const told: string[] = [];
	const error = await new Promise<Error>((fail) => {
		new WorkerProcesses({
			count: 1,
			args: ["--nats", "nats://me:secret@nowhere"],
			env: process.env,
			log: (line) => told.push(line),
			fail,
		});
	});
	t.regex(
		error.message,
		/^a worker process died 4 times, the last time with code 2: tailtune: --nats: a URL with credentials/,
	);
	t.is(told.length, 3);
});

test.serial("--workers needs a number, and can't be combined with flags of a cluster", async (t) => {
	const refused = async (...flags: string[]) => (await tailtune("train", "--data", data, "--workers", ...flags)).stderr;
	t.is(await refused("none"), 'tailtune: --workers: found "none", expected a whole number of at least 1');
	t.is(await refused("2", "--nats", "nats://x"), "tailtune: --workers: can't be combined with --nats");
	t.is(await refused("2", "--tls-ca", "x"), "tailtune: --workers: can't be combined with --tls-ca");
});
