import test from "ava";
import { startWorkerProcess } from "../cluster/processes.ts";
import { startNatsServer } from "../nats-server.ts";
import { newFolder } from "../new-folder.ts";
import { makeRun, writeModel } from "./run-folder.ts";
import { classify, connect, startServer } from "./server.ts";

test("if a worker is killed during a batch, another one answers every accepted call; SIGTERM doesn't wait for workers", async (t) => {
	const nats = await startNatsServer();
	t.teardown(() => nats.stop());
	const cache = await newFolder();
	const [doomed, other] = await Promise.all([
		startWorkerProcess(nats.url, cache),
		startWorkerProcess(nats.url, await newFolder()),
	]);
	t.teardown(() => Promise.all([doomed.end(), other.end()]).then(() => {}));
	const run = await makeRun();
	const server = await startServer(t, run, ["--nats", nats.url, "--max-batch", "4", "--max-wait-ms", "60000"]);
	const client = await connect(t, server.address);
	const workers = async () => /tailtune_workers (\d+)/.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1];
	t.is(await workers(), "2");
	const texts = Array.from({ length: 60 }, (_, i) => `${"word ".repeat(150)}${i}`);
	// Both workers have loaded the model and computed before one is killed.
	await Promise.all(texts.slice(0, 16).map((text) => classify(client, { text })));
	const answers = texts.map((text) => classify(client, { text }, 60_000));
	await Promise.race(answers);
	doomed.signal("SIGKILL");
	t.is((await Promise.all(answers)).length, texts.length);
	t.is(await workers(), "1");
	await other.end();
	const opening = server.logged("opening the run's model");
	await writeModel(run, 2);
	await opening;
	server.signal("SIGTERM");
	t.is((await server.ended).exitCode, 0);
});
