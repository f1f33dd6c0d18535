import { join } from "node:path";
import test from "ava";
import { writeTexts } from "../cli/tailtune.ts";
import { startNatsServer } from "../nats-server.ts";
import { newFolder } from "../new-folder.ts";
import { hashWeights, RunProcess, startWorkerProcess } from "./processes.ts";

const SETTINGS = ["--local-steps", "4", "--outer-lr", "0.7", "--outer-momentum", "0.9", "--wire", "bf16"] as const;

test("local steps in bfloat16: the same bits as in one process, although a worker is killed during the run", async (t) => {
	const folder = await newFolder();
	const data = await writeTexts(80);
	const server = await startNatsServer();
	t.teardown(() => server.stop());
	const cache = join(folder, "cache");
	const workers = await Promise.all([1, 2].map(() => startWorkerProcess(server.url, cache)));
	t.teardown(() => Promise.all(workers.map((worker) => worker.end())));
	const embedded = join(folder, "embedded");
	t.is(await RunProcess.beginAt({}, data, embedded, SETTINGS).end(), "");
	const out = join(folder, "cluster");
	const run = RunProcess.beginAt({}, data, out, [...SETTINGS, "--nats", server.url]);
	await run.reach("epoch");
	workers[0]?.signal("SIGKILL");
	t.is(await run.end(), "");
	t.is(await hashWeights(out), await hashWeights(embedded));
});
