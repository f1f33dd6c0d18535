import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { Classifier } from "../../../coordinator/classify/classifier.ts";
import { openRunsPage } from "../../../coordinator/dashboard/open-runs-page.ts";
import type { LocalSweep } from "../../../coordinator/sweep/find-sweeps.ts";
import { writeJson } from "../../../shared/files/write-atomic.ts";
import { defaultConfig } from "../../../shared/settings/resolve-config.ts";
import { newFolder } from "../../new-folder.ts";
import { sampleSweep } from "../sweep/sample-sweep.ts";
import { pageOptions } from "./page-options.ts";
import { sampleRun } from "./sample-runs.ts";
import { viewEvents } from "./view-events.ts";

test("runs are listed; a running one is followed as its files grow, and a finished one has the texts of its cells", async (t) => {
	const folder = join(await newFolder(), "runs");
	const data = `someone/mails@${"0123456789".repeat(4)}`;
	const run = await sampleRun(join(folder, "one"), { data }, ["ham", "spam"]);
	await run.add(5);
	const page = await openRunsPage(folder, pageOptions());
	t.teardown(() => page.close());
	const { origin, hash } = new URL(page.url);
	const headers = { authorization: `Bearer ${hash.replace("#token=", "")}` };
	const ask = async (path: string) => {
		const response = await fetch(origin + path, { headers });
		return { status: response.status, body: JSON.parse(await response.text()) };
	};
	t.like((await ask("/runs")).body, { folder, runs: [{ folder: "one", state: "running", data: "mails@0123456" }] });
	const { next } = await viewEvents(`${origin}/events?run=one`, headers);
	const first = await next();
	t.like(first?.data, { run: { name: "one", data: "mails@0123456" }, epoch: { epoch: 1 }, end: null });
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
	const post = async (text: unknown, type = "application/json") => {
		const asked = { method: "POST", headers: { ...headers, "content-type": type }, body: JSON.stringify({ text }) };
		const response = await fetch(`${origin}/classify?run=one`, asked);
		return { status: response.status, body: JSON.parse(await response.text()) };
	};
	const classifier = await Classifier.open(join(folder, "one"), defaultConfig(), pageOptions());
	t.teardown(() => classifier.close());
	const [{ probabilities } = { probabilities: [] as readonly number[] }] = await classifier.classify([
		{ text: "You won a prize", source: "" },
	]);
	const { status, body } = await post("You won a prize");
	t.is(status, 200);
	t.like(body, { tokens: 4, truncated: false, maxTokens: 256, abstain: 0, multiLabel: false });
	const inOrder = ["ham", "spam"].map((label, i) => ({ label, probability: probabilities[i], threshold: null }));
	inOrder.sort((a, b) => (b.probability ?? 0) - (a.probability ?? 0));
	t.deepEqual(
		body.labels,
		inOrder.map((one, i) => ({ ...one, isPredicted: i === 0 })),
	);
	for (const [text, message] of [
		[" ", /^text: expected at least one character$/],
		[3, /^text: expected a text$/],
		["x".repeat(20_001), /^text: expected at most 20000 characters$/],
		["x".repeat(200_000), /^text: expected at most 20000 characters$/],
		["word ".repeat(300), /^text: found a text of 3\d\d tokens, expected at most 256/],
	] as const) {
		const refused = await post(text);
		t.is(refused.status, 400);
		t.regex(refused.body.message, message);
	}
	const many = await Promise.all(Array.from({ length: 8 }, () => post("You won a prize")));
	t.deepEqual(new Set(many.map((one) => one.status)), new Set([200, 429]));
	for (const one of many) if (one.status === 200) t.deepEqual(one.body, body);
});

test("only listed runs and sweeps are read, and only with the token; a damaged sweep is listed with its problem", async (t) => {
	const folder = await newFolder();
	await sampleRun(join(folder, "secret"), {}, ["a", "b"]);
	await writeJson(join(folder, "secret", "sweep.json"), sampleSweep());
	await sampleRun(join(folder, "runs", "sample", "trial-1"), {}, ["a", "b"]);
	await writeJson(join(folder, "runs", "sample", "sweep.json"), sampleSweep());
	await mkdir(join(folder, "runs", "damaged"));
	const file = join(folder, "runs", "damaged", "sweep.json");
	await writeFile(file, "{");
	const page = await openRunsPage(join(folder, "runs"), pageOptions());
	t.teardown(() => page.close());
	const { origin, hash } = new URL(page.url);
	const headers = { authorization: `Bearer ${hash.replace("#token=", "")}` };
	for (const path of ["/events?run=", "/state?run=", "/texts?run=", "/comparison?run=x&run=", "/sweep?sweep="]) {
		t.is((await fetch(`${origin}${path}../secret`)).status, 401);
		const refused = await fetch(`${origin}${path}../secret`, { headers });
		t.is(refused.status, 404);
	}
	const { sweeps } = (await (await fetch(`${origin}/runs`, { headers })).json()) as { sweeps: LocalSweep[] };
	t.like(sweeps, [
		{ name: "damaged", trials: null },
		{ name: "sample", trials: 4, ended: 4 },
	]);
	t.true(sweeps[0]?.problem?.startsWith(`${file}: `), sweeps[0]?.problem);
	const shown = await fetch(`${origin}/sweep?sweep=damaged`, { headers });
	t.is(((await shown.json()) as { message: string }).message, sweeps[0]?.problem ?? "");
	const sample = (await (await fetch(`${origin}/sweep?sweep=sample`, { headers })).json()) as { html: string };
	t.deepEqual(sample.html.match(/href="[^"]*"/g), ['href="?run=sample%2Ftrial-1"'], "the only trial that left a run");
	const json = { ...headers, "content-type": "application/json" };
	const asked = { method: "POST", headers: json, body: '{"text":"a"}' };
	t.is((await fetch(`${origin}/classify?run=../secret`, asked)).status, 404);
	t.is((await fetch(`${origin}/runs`)).status, 401);
	await t.throwsAsync(openRunsPage(join(folder, "none"), pageOptions()), { code: "not-found" });
});
