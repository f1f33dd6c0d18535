import { join } from "node:path";
import test from "ava";
import { openRunsPage } from "../../../coordinator/dashboard/open-runs-page.ts";
import { newFolder } from "../../new-folder.ts";
import { pageOptions } from "./page-options.ts";
import { sampleCluster } from "./sample-cluster.ts";

test("runs of a cluster are shown with the states of their workers, problems with advice; a run can be stopped", async (t) => {
	const { bus, runId, cluster, cancelled } = await sampleCluster();
	const page = await openRunsPage(join(await newFolder(), "none"), pageOptions(), cluster);
	t.teardown(() => page.close());
	const { origin, hash } = new URL(page.url);
	const headers = { authorization: `Bearer ${hash.replace("#token=", "")}`, "content-type": "application/json" };
	const ask = async (path: string, body?: object) => {
		const posted = body && { method: "POST", body: JSON.stringify(body) };
		const response = await fetch(origin + path, { headers, ...posted });
		return { status: response.status, body: JSON.parse(await response.text()) };
	};
	t.deepEqual((await ask("/runs")).body.runs, []);
	const connecting = [{ text: "connecting to NATS", advice: "" }];
	t.deepEqual((await ask("/cluster")).body, { runs: [], idle: [], problems: connecting });
	const problem = { kind: "connection", text: "NATS can't be reached", seconds: 1 } as const;
	cluster.report({ ...problem, state: "begun" });
	t.like((await ask("/cluster")).body.problems[0], { text: "NATS can't be reached" });
	t.regex((await ask("/cluster")).body.problems[0].advice, /^Check that nats-server runs/);
	cluster.report({ ...problem, state: "over" });
	t.is((await ask("/cluster/cancel", { run: runId })).status, 503);
	cluster.connect(bus);
	const listing = (await ask("/cluster")).body;
	t.deepEqual(listing.problems, []);
	const progress = { phase: "training", done: 3, name: "first", model: "gpt2@0123456", data: "texts.tsv" };
	t.like(listing.runs, [{ id: runId, shards: 2, progress }]);
	const device = "onnx cpu (1.0), 2 threads, cpu";
	t.deepEqual(listing.runs[0].workers, [
		{ id: "vm-2", device, state: "computing", speed: 1.25, texts: 640, shards: [0, 1] },
		{ id: "vm-1", device: null, state: "silent", speed: 0.75, texts: 320, shards: [] },
	]);
	t.deepEqual(listing.idle, [{ id: "vm-3", device }]);
	t.is((await fetch(`${origin}/cluster`)).status, 401);
	t.is((await fetch(`${origin}/cluster/cancel`, { method: "POST", body: "{}" })).status, 401);
	t.is((await ask("/cluster/cancel", { run: "none" })).status, 404);
	t.is((await ask("/cluster/cancel", { run: runId })).status, 200);
	await cancelled;
});
