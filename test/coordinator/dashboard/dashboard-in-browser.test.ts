import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import type { Page } from "playwright-core";
import { openDashboard } from "../../../coordinator/dashboard/open-dashboard.ts";
import { openRunsPage } from "../../../coordinator/dashboard/open-runs-page.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { formatSeconds } from "../../../coordinator/format.ts";
import type { MetricsLine } from "../../../coordinator/run-folder/result.ts";
import { newFolder } from "../../new-folder.ts";
import { findBarriers, hasBrowser, launchChromium, openPage, saveScreenshot, waitForText } from "../chromium.ts";
import { sampleMetrics, sampleResult } from "../run-folder/sample-run.ts";
import { emitStart, emitStep, emitWorkers } from "./events.ts";
import { pageOptions } from "./page-options.ts";
import { sampleCluster } from "./sample-cluster.ts";
import { sampleRun } from "./sample-runs.ts";

const HOSTILE = '</script><img src=x onerror="document.title=1">';

/** Runs in the page: finds the charts in which the number of epoch 77 is drawn. */
const FIND_LABELLED = `{
	window.labelled = new Set();
	const { fillText } = CanvasRenderingContext2D.prototype;
	CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
		if (text === "77") labelled.add(this.canvas);
		fillText.call(this, text, ...place);
	};
}`;

/** Runs in the page: counts the heads of the confusion matrix whose text is wider than they are. */
const OVERFLOWING = `[...document.querySelectorAll(".matrix th")].filter(
	(head) => head.querySelector("bdi").getBoundingClientRect().width > head.clientWidth,
).length`;

/** Whether an expression is true in the page, at the latest when 300 frames were drawn. */
async function becomesTrue(page: Page, expression: string): Promise<boolean> {
	for (let frame = 0; frame < 300; frame++) {
		if (await page.evaluate(expression)) return true;
		await page.evaluate("new Promise(requestAnimationFrame)");
	}
	return false;
}

/** Whether the page is no wider than its window. */
const fits = (page: Page) => becomesTrue(page, "document.documentElement.scrollWidth <= innerWidth");

/** One for all tests. */
const browser = await launchChromium();
test.after.always(() => browser?.close());

async function start(t: ExecutionContext) {
	const events = new RunEvents();
	const dashboard = await openDashboard(events, pageOptions());
	t.teardown(() => dashboard.close());
	return { events, dashboard };
}

test("a run is watched from its start to its end: progress, curves, workers, problems, result", async (t) => {
	if (!hasBrowser(t, browser)) return;
	const { events, dashboard } = await start(t);
	const { page, complaints } = await openPage(browser, `${dashboard.url}`, 1200, "light");
	await waitForText(page, "[data-chart=loss] .u-legend", /^texts:?\s*–$/);
	await page.evaluate(FIND_LABELLED);
	emitStart(events);
	await waitForText(page, "h1", "spam filter");
	t.is(await page.evaluate("location.hash"), "", "the token isn't left in the address");
	t.true(await page.locator("#banner").isHidden());
	const phase = events.phase("training", 650, "steps");
	for (let step = 1; step <= 400; step++) emitStep(events, step);
	for (const line of sampleMetrics()) if (line.step <= 400) events.emit({ event: line.kind, ...line });
	phase.advance(400);
	emitWorkers(events, 10, { "vm-1": "computing", "vm-2": "computing" });
	await waitForText(page, "#phase", "400 of 650 steps");
	await waitForText(page, "#figures", "3 of 5");
	await waitForText(page, ".workers tr", "vm-2");
	emitWorkers(events, 11, { "vm-1": "computing", "vm-2": "computing" });
	await waitForText(page, "#figures", "3.0 KiB");
	t.deepEqual(await page.locator(".shards li").allTextContents(), ["0", "1"]);
	t.regex((await page.locator("#workers .note").textContent()) ?? "", /vm-2, has 94\.7 % of the median speed/);
	await waitForText(page, "[data-chart=loss] .u-legend", "3,200");
	// An epoch that ends at the last step drawn is labelled in both charts.
	const last = sampleMetrics().find(({ step }) => step === 390);
	events.emit({ event: "epoch", ...(last as MetricsLine), step: 400, examplesSeen: 3200, epoch: 77 });
	t.true(await becomesTrue(page, "labelled.size === 2"));
	await page.getByLabel("seconds").check();
	await waitForText(page, "[data-chart=loss] .u-legend", "24 s");
	t.is(await page.evaluate("location.search"), "?axis=seconds");
	emitWorkers(events, 12, { "vm-1": "computing", "vm-2": "silent" });
	await waitForText(page, ".workers .silent", "vm-2");
	events.emit({ event: "notice", kind: "retrying", state: "begun", text: HOSTILE, seconds: 1 });
	await waitForText(page, "#banner", HOSTILE);
	t.deepEqual(await findBarriers(page), []);
	await saveScreenshot(page, "run-worker-lost");
	events.emit({ event: "notice", kind: "retrying", state: "over", text: HOSTILE, seconds: 2 });
	await page.locator("#banner").waitFor({ state: "hidden" });
	events.emit({ event: "phase-done", name: "training", total: 650, unit: "steps", done: 650, seconds: 1.84 });
	await waitForText(page, "#phase", `650 of 650 steps in ${formatSeconds(1.84)}`);
	const result = sampleResult(["w".repeat(100), HOSTILE]);
	events.emit({ event: "result", folder: "/runs/one", ...result });
	await waitForText(page, "#phase", `finishedin ${formatSeconds(result.seconds.total)}`);
	await waitForText(page, ".matrix thead th", HOSTILE);
	t.is(await page.locator(".matrix thead bdi").first().textContent(), `${"w".repeat(79)}…`);
	t.is(await page.title(), "spam filter: Tailtune");
	for (const [width, colorScheme] of [
		[390, "dark"],
		[1200, "dark"],
		[390, "light"],
	] as const) {
		await page.setViewportSize({ width, height: 844 });
		await page.emulateMedia({ colorScheme });
		t.true(await fits(page));
		t.is(await page.evaluate(OVERFLOWING), 0, "labels wrap in their cells");
		t.deepEqual(await findBarriers(page), [], `${width} ${colorScheme}`);
		await saveScreenshot(page, `run-finished-${width}-${colorScheme}`);
	}
	await page.setViewportSize({ width: 800, height: 1100 });
	await saveScreenshot(page, "run-finished-printed", "print");
	t.deepEqual(complaints, []);
});

test("the run is stopped from the page after a confirmation; without the token the page asks for it", async (t) => {
	if (!hasBrowser(t, browser)) return;
	const { events, dashboard } = await start(t);
	emitStart(events);
	const { origin, hash } = new URL(dashboard.url);
	const { page, complaints } = await openPage(browser, origin, 390, "light");
	await page.getByLabel("Token, from the address").fill(hash.replace("#token=", ""));
	await page.getByRole("button", { name: "Open" }).click();
	await waitForText(page, "h1", "spam filter");
	const stop = page.getByRole("button", { name: "Stop the run" });
	await stop.first().press("Enter");
	await page.getByRole("button", { name: "Keep running" }).click();
	t.false(dashboard.cancelled.aborted);
	await stop.first().click();
	await page.getByRole("dialog").getByRole("button", { name: "Stop the run" }).click();
	await waitForText(page, "#cancel", "Stopping after this step");
	t.true(dashboard.cancelled.aborted);
	dashboard.showFailure(new Error("stopped; to resume: npx tailtune train --resume runs/one"));
	await dashboard.close();
	await waitForText(page, "#banner", "stopped; to resume");
	await waitForText(page, "#connection", "ended");
	t.deepEqual(complaints, []);
});

/** Starts a run while the list is open, interrupts it, and removes it. */
async function checkListFollows(t: ExecutionContext, page: Page, folder: string) {
	const box = page.getByLabel("compare 0/run & <b>");
	await box.check();
	await box.focus();
	const added = await sampleRun(join(folder, "added"), { metric: "accuracy" }, ["ham", "spam"]);
	await waitForText(page, ".runs tbody tr:first-child", /added.*running.*–/);
	await added.add(5);
	await waitForText(page, ".runs tbody tr:first-child", /added.*running.*% \(.*1/);
	await added.release();
	await waitForText(page, ".runs tbody tr:first-child", "interrupted");
	await rm(join(folder, "added"), { recursive: true });
	await page.locator(".runs tbody tr", { hasText: "added" }).waitFor({ state: "detached" });
	t.is(await page.locator("[type=checkbox]:focus:checked").getAttribute("value"), "0/run & <b>");
	await box.uncheck();
}

test("the runs of a folder and of a cluster are listed, one is opened with the texts of a cell, and two are compared", async (t) => {
	if (!hasBrowser(t, browser)) return;
	const folder = join(await newFolder(), "runs");
	for (const [i, lr] of [1e-3, 2e-3].entries()) {
		const others = i === 1 && { split: [0.6, 0.2, 0.2], threshold: { ham: 0.3 } };
		const run = await sampleRun(join(folder, `${i}/run & <b>`), { lr, ...others }, ["ham", HOSTILE]);
		await run.add(100);
		await run.finish(i === 0);
	}
	const damaged = await sampleRun(join(folder, "damaged"), {}, ["ham", HOSTILE]);
	await damaged.release();
	await writeFile(join(folder, "damaged", "result.json"), "{");
	const { bus, cluster, cancelled } = await sampleCluster();
	cluster.connect(bus);
	const runs = await openRunsPage(folder, pageOptions(), cluster);
	t.teardown(() => runs.close());
	const { page, complaints } = await openPage(browser, runs.url, 1200, "dark");
	await waitForText(page, ".runs tbody tr", "0/run & <b>");
	await waitForText(page, "#cluster [data-state=silent]", "silent");
	await waitForText(page, "#cluster-idle", "vm-3");
	await page.getByRole("button", { name: "Stop the run" }).press("Enter");
	await page.getByRole("dialog").getByRole("button", { name: "Stop the run" }).click();
	await cancelled;
	await waitForText(page, "#cluster button", "Stopping after this step");
	await saveScreenshot(page, "runs-dark");
	t.deepEqual(await findBarriers(page), []);
	await checkListFollows(t, page, folder);
	await page.getByRole("link", { name: "0/run & <b>" }).click();
	await waitForText(page, "h1", "run & <b>");
	await page.locator("[data-cell='1-0']").press("Enter");
	await waitForText(page, "#texts h3", `${HOSTILE} predicted as ham`);
	t.is(await page.evaluate("new URLSearchParams(location.search).get('cell')"), "1-0");
	await page.reload();
	await waitForText(page, "#texts h3", `${HOSTILE} predicted as ham`);
	t.deepEqual(await findBarriers(page), []);
	await page.getByRole("textbox", { name: "Text" }).fill("You won a prize");
	await page.getByRole("button", { name: "Classify" }).press("Enter");
	await waitForText(page, "#answer .predicted", "predicted");
	t.deepEqual((await page.locator("#answer th[scope=row] bdi").allTextContents()).sort(), [HOSTILE, "ham"]);
	await waitForText(page, "#answer", "All 4 tokens of the text were read.");
	await saveScreenshot(page, "text-classified-dark");
	await page.getByRole("textbox", { name: "Text" }).fill("word ".repeat(300));
	await page.getByRole("button", { name: "Classify" }).click();
	await waitForText(page, "#answer .problem", "expected at most 256");
	t.deepEqual(complaints.splice(0), [
		"Failed to load resource: the server responded with a status of 400 (Bad Request)",
	]);
	t.deepEqual(await findBarriers(page), []);
	await page.goto(`${new URL(runs.url).origin}/?run=damaged`);
	await waitForText(page, "#banner", "damaged/result.json: ");
	t.is(await page.locator("h1:visible").textContent(), "damaged");
	t.is(await page.locator("#connection").textContent(), "trying again");
	await page.getByRole("link", { name: "All runs" }).click();
	await waitForText(page, ".runs tbody tr", "damaged");
	t.true(complaints.splice(0).every((text) => text.includes("status of 400")));
	await waitForText(page, ".runs tbody tr", "97.3 % (macro F1)");
	for (const box of await page.locator("[type=checkbox]:enabled").all()) await box.check();
	await page.getByRole("button", { name: "Compare two runs" }).click();
	await waitForText(page, "#comparison tr", "0.002");
	await waitForText(page, "#comparison tr", "[0.6,0.2,0.2]");
	await waitForText(page, "#comparison tr", '{"ham":0.3}');
	await waitForText(page, "#comparison tr", "only 1/run & <b> right");
	t.is(await page.locator("#comparison canvas").count(), 4);
	await saveScreenshot(page, "comparison-dark");
	t.deepEqual(await findBarriers(page), []);
	await page.setViewportSize({ width: 390, height: 844 });
	t.true(await fits(page));
	await saveScreenshot(page, "comparison-390-dark");
	t.is(await page.title(), "1/run & <b> and 0/run & <b>: Tailtune");
	t.deepEqual(complaints, []);
});
