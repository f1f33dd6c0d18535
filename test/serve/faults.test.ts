import { mkdir, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeGenericClientConstructor, status as Status } from "@grpc/grpc-js";
import test from "ava";
import { service as healthDefinition } from "grpc-health-check";
import { createClient } from "../../worker/exchange/client.ts";
import { CACHE, start, waitForFile, writeTexts } from "../cli/tailtune.ts";
import { newFolder } from "../new-folder.ts";
import { makeRun, writeModel } from "./run-folder.ts";
import { classify, connect, startServer, statusOf } from "./server.ts";

const long = "word ".repeat(250);

/** Status that the health service reports. */
async function healthOf(address: string, service = ""): Promise<string> {
	const Health = makeGenericClientConstructor(healthDefinition, "Health");
	const client = await createClient(Health, address);
	try {
		return await new Promise((resolve, reject) => {
			client.check?.({ service }, (error: Error | null, answer: { status: string }) =>
				error ? reject(error) : resolve(answer.status),
			);
		});
	} finally {
		client.close();
	}
}

test("after SIGTERM accepted calls are answered, new ones refused, and the process exits with 0", async (t) => {
	const server = await startServer(t, await makeRun(), ["--max-batch", "1", "--max-wait-ms", "60000"]);
	const client = await connect(t, server.address);
	// Only long texts: the time per token of a short one, on a busy machine, would make long ones seem to take minutes.
	await classify(client, { text: long });
	const stream = client.ClassifyStream();
	const streamed = new Promise((resolve) => stream.on("data", resolve));
	const streamEnd = statusOf(new Promise((_, reject) => stream.on("error", reject)));
	stream.write({ text: long });
	await streamed;
	const underWay = Array.from({ length: 8 }, () => classify(client, { text: long }));
	// When this later call is answered, the server has received the earlier ones.
	await new Promise((resolve) => client.GetModel({}, resolve));
	const draining = server.logged("draining");
	server.signal("SIGTERM");
	await draining;
	const refused = await statusOf(classify(client, { text: "too late" }));
	t.is(refused.code, Status.UNAVAILABLE);
	t.is((await Promise.all(underWay)).length, 8);
	t.is((await streamEnd).code, Status.UNAVAILABLE);
	t.is((await server.ended).exitCode, 0);
});

test("a complete new model replaces the old one without a failed call; a broken one is refused and the old one kept", async (t) => {
	const run = await makeRun(1);
	const copies = async (pid: unknown) =>
		(await readdir(join(CACHE, "tailtune", "serve"))).filter((name) => name.includes(`-${pid}-`));
	const server = await startServer(t, run);
	const client = await connect(t, server.address);
	const versions = new Set<string>();
	let isOver = false;
	const load = (async () => {
		while (!isOver) versions.add((await classify(client, { text: "which model?" })).modelVersion);
	})();
	const weights = join(run, "model", "model.safetensors");

	let refused = server.logged("the run's new model is refused");
	await truncate(weights, 1000);
	t.is((await refused).kept, [...versions][0]);
	refused = server.logged("the run's new model is refused");
	await writeModel(run, 1);
	const bytes = await readFile(weights);
	bytes.fill(0xff, bytes.length - 64);
	await writeFile(weights, bytes);
	await refused;
	t.is(versions.size, 1);
	t.is(await healthOf(server.address), "SERVING");

	const loaded = server.logged("model loaded");
	await writeModel(run, 2);
	const { version, pid } = await loaded;
	t.true((await copies(pid)).length > 0);
	await classify(client, { text: "the new one?" });
	isOver = true;
	await load;
	t.is(versions.size, 2);
	t.true(versions.has(String(version)));

	server.signal("SIGTERM");
	t.is((await server.ended).exitCode, 0);
	t.deepEqual(await copies(pid), [], "no copy of a model is left");
});

test("before the first model is there, probes get NOT_SERVING and calls UNAVAILABLE; then it is served", async (t) => {
	const run = await newFolder();
	await writeFile(join(run, "config.json"), "{}");
	const server = await startServer(t, run, [], "no model yet: waiting for the run's first");
	const client = await connect(t, server.address);
	t.is(await healthOf(server.address), "NOT_SERVING");
	t.is((await statusOf(classify(client, { text: "hello" }))).code, Status.UNAVAILABLE);
	t.is((await fetch(`${server.url}/healthz`)).status, 503);
	const loaded = server.logged("model loaded");
	await mkdir(join(run, "model"));
	await writeModel(run, 1);
	await loaded;
	t.is(await healthOf(server.address, "tailtune.v1.Classifier"), "SERVING");
	t.is((await statusOf(classify(client, { text: "hello" }))).code, Status.OK);
});

test("while a run trains, its best model so far answers calls and is replaced without a failed call", async (t) => {
	const out = join(await newFolder(), "run");
	const learning = ["--epochs", "100", "--batch", "2", "--lr", "2e-5", "--eval-every", "1000"];
	const flags = ["--model", "demo", "--threads", "1", "--data", await writeTexts(100), "--out", out, ...learning];
	const run = start(["--json", "train", "--serve", "127.0.0.1:0", ...flags]);
	t.teardown(() => run.kill("SIGKILL"));
	let output = "";
	for await (const chunk of run.stdout ?? []) {
		output += chunk;
		if (output.includes(" answers on ")) break;
	}
	run.stdout?.resume();
	await waitForFile(out, "model");
	const client = await connect(t, / answers on ([\d.:]+)/.exec(output)?.[1] ?? "");
	const versions = new Set<string>();
	const failures: number[] = [];
	while (versions.size < 2) {
		const { code } = await statusOf(
			classify(client, { text: "WIN a prize" }).then(({ modelVersion }) => versions.add(modelVersion)),
		);
		const isTooEarly = code === Status.UNAVAILABLE && versions.size === 0;
		if (code !== Status.OK && !isTooEarly) failures.push(code);
	}
	t.deepEqual(failures, []);
	run.kill("SIGTERM");
	t.is((await run).exitCode, 130);
	t.is((await statusOf(classify(client, { text: "hello" }))).code, Status.UNAVAILABLE, "the server ended with the run");
});
