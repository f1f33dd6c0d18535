import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { openRunsPage } from "../../../coordinator/dashboard/open-runs-page.ts";
import { newFolder } from "../../new-folder.ts";
import { sampleRun } from "./sample-runs.ts";
import { viewEvents } from "./view-events.ts";

test("runs are listed; a running one is followed as its files grow, and a finished one has the texts of its cells", async (t) => {
	const folder = join(await newFolder(), "runs");
	const run = await sampleRun(join(folder, "one"), {}, ["ham", "spam"]);
	await run.add(5);
	const page = await openRunsPage(folder, "127.0.0.1:0");
	t.teardown(() => page.close());
	const { origin, hash } = new URL(page.url);
	const headers = { authorization: `Bearer ${hash.replace("#token=", "")}` };
	const ask = async (path: string) => {
		const response = await fetch(origin + path, { headers });
		return { status: response.status, body: JSON.parse(await response.text()) };
	};
	t.like((await ask("/runs")).body, { folder, runs: [{ folder: "one", state: "running" }] });
	const { next } = await viewEvents(`${origin}/events?run=one`, headers);
	const first = await next();
	t.like(first?.data, { run: { name: "one", data: "mails.tsv" }, epoch: { epoch: 1 }, end: null });
	t.is(first?.data.curves["train step loss"].points.length, 4);
	await run.add(3);
	// The files may be read between two lines.
	for (let message = await next(); message?.data.epoch?.epoch !== 2; message = await next())
		t.is(message?.event, "change");
	await run.finish(true);
	for (let message = await next(); ; message = await next()) {
		// The lock may be released after the result was seen.
		t.truthy(message);
		if (message?.data.end?.state === "finished") break;
	}
	const texts = await ask("/texts?run=one&label=ham&predicted=ham");
	t.deepEqual(texts.body, {
		count: 2,
		texts: [
			{ source: "mails.tsv:1", probability: 0.9, text: null },
			{ source: "mails.tsv:2", probability: 0.89, text: null },
		],
	});
	const [mistake] = (await ask("/texts?run=one&label=spam&predicted=ham")).body.texts;
	t.true(mistake.text.length > 10);
});

test("only listed runs are read, and only with the token", async (t) => {
	const folder = await newFolder();
	await sampleRun(join(folder, "secret"), {}, ["a", "b"]);
	await mkdir(join(folder, "runs"));
	const page = await openRunsPage(join(folder, "runs"), "127.0.0.1:0");
	t.teardown(() => page.close());
	const { origin, hash } = new URL(page.url);
	const headers = { authorization: `Bearer ${hash.replace("#token=", "")}` };
	for (const path of ["/events?run=", "/state?run=", "/texts?run=", "/comparison?run=x&run="]) {
		t.is((await fetch(`${origin}${path}../secret`)).status, 401);
		const refused = await fetch(`${origin}${path}../secret`, { headers });
		t.is(refused.status, 404);
	}
	t.is((await fetch(`${origin}/runs`)).status, 401);
	await t.throwsAsync(openRunsPage(join(folder, "none"), "127.0.0.1:0"), { code: "not-found" });
});
