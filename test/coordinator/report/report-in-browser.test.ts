// Needs an installed chromium; without one only render-report.test.ts checks the page.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test, { type ExecutionContext } from "ava";
import type { Browser, Page } from "playwright-core";
import { renderReport } from "../../../coordinator/report/render-report.ts";
import { renderSweepReport } from "../../../coordinator/report/render-sweep-report.ts";
import { defaultConfig } from "../../../shared/settings/resolve-config.ts";
import { findBarriers, hasBrowser, launchChromium, saveScreenshot } from "../chromium.ts";
import { sampleDetails } from "../run-folder/sample-details.ts";
import { sampleMetrics, sampleResult } from "../run-folder/sample-run.ts";
import { sampleSweep } from "../sweep/sample-sweep.ts";

const LABELS = ["ham", '</script><b>"spam"', ...Array.from({ length: 12 }, (_, i) => `a rather long label ${i}`)];

/** Opens the report; returns console messages, errors, and requests other than the one for the page. */
async function withPage(
	browser: Browser,
	url: string,
	options: { width: number; colorScheme: "light" | "dark" },
	use: (page: Page) => Promise<void>,
): Promise<string[]> {
	const complaints: string[] = [];
	const { width, colorScheme } = options;
	const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
	page.on("console", (message) => complaints.push(`console: ${message.text()}`));
	page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
	page.on("request", (request) => {
		if (request.url() !== url && !request.url().startsWith("data:")) complaints.push(`request: ${request.url()}`);
	});
	await page.goto(url);
	await use(page);
	await page.close();
	return complaints;
}

/** Uses the page by keyboard: sorts a table, opens the texts of a cell, moves the threshold; checks accessibility. */
async function checkUse(t: ExecutionContext, page: Page): Promise<void> {
	const scores = page.locator("[data-sortable]").first();
	const recalls = () => scores.locator("tbody td:nth-child(3)").allTextContents();
	const before = await recalls();
	const byNumber = (direction: number) =>
		before.map((text) => Number.parseFloat(text)).sort((a, b) => direction * (a - b));
	for (const direction of [-1, 1]) {
		await scores.getByRole("button", { name: "recall" }).press("Enter");
		t.deepEqual(
			(await recalls()).map((text) => Number.parseFloat(text)),
			byNumber(direction),
		);
	}
	t.is(await scores.locator("[aria-sort]").getAttribute("aria-sort"), "ascending");

	await page.locator("[data-pair='0-1'] button").press("Enter");
	t.true(await page.locator("#pair-0-1").getByText("prize").first().isVisible());

	const slider = page.getByRole("slider");
	await page.getByRole("combobox").selectOption({ index: 1 });
	const { points = [] } = sampleDetails(LABELS).curves[1] ?? {};
	const decision = points.filter(([threshold]) => threshold >= 0.5).at(-1);
	await slider.press("ArrowRight");
	const [threshold = 0, flagged = 0, right = 0] = points[points.indexOf(decision ?? [0, 0, 0]) - 1] ?? [];
	const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
	const expected = [percent(right / flagged), percent(right / 50), `${flagged} of `];
	const shown = await page.locator("[data-thresholds] dd").allTextContents();
	t.deepEqual(
		shown.map((text, i) => text.slice(0, expected[i]?.length)),
		expected,
	);
	t.is(await page.locator("output").textContent(), percent(threshold));
	t.true((await slider.getAttribute("aria-valuetext"))?.includes(`recall ${expected[1]}`));
	t.deepEqual(await findBarriers(page), []);
}

/** Checks that the report of a sweep needs no request, fits, is accessible, and shows hostile text as text. */
async function checkSweepReport(t: ExecutionContext, browser: Browser, file: string): Promise<void> {
	const state = sampleSweep();
	const hostile = { ...state, settings: { ...state.settings, name: LABELS[1] } };
	const curves = state.trials.map(({ folder }, i) => ({
		folder,
		points: [1, 2, 3].map((epoch) => ({ epoch, score: 0.5 + (epoch + i) / 20 })),
	}));
	await writeFile(file, renderSweepReport(hostile, "macro-f1", curves, sampleResult()));
	for (const [width, colorScheme] of [
		[390, "dark"],
		[1200, "light"],
	] as const) {
		const complaints = await withPage(browser, pathToFileURL(file).href, { width, colorScheme }, async (page) => {
			t.true(((await page.evaluate("document.documentElement.scrollWidth")) as number) <= width);
			t.is(await page.locator("h1").textContent(), LABELS[1] ?? "");
			t.deepEqual(await page.locator(".ranking tbody th").allTextContents(), ["0.001", "0.1"]);
			// Scores 0.9 and 0.86 between 0.8 and 0.9.
			const places = await page
				.locator(".ranking tr:first-child .dots circle")
				.evaluateAll((dots) => dots.map((dot) => dot.getAttribute("cx")));
			t.deepEqual(places, ["100.00%", "60.00%"]);
			t.is(await page.locator(".small-charts polyline").count(), 4);
			await saveScreenshot(page, `sweep-report-${width}-${colorScheme}`);
			t.deepEqual(await findBarriers(page), []);
		});
		t.deepEqual(complaints, []);
	}
}

/** Runs in the page: computes the share of painted pixels of each canvas. */
const PAINTED = `[...document.querySelectorAll("[data-chart] canvas")].map((canvas) => {
	const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
	return data.filter((value, i) => i % 4 === 3 && value > 0).length / (data.length / 4);
})`;

test("the report draws both charts, sends no request, fits wide and narrow windows, light and dark, and can be used by keyboard", async (t) => {
	const browser = await launchChromium();
	if (!hasBrowser(t, browser)) return;
	const folder = await mkdtemp(join(tmpdir(), "report-in-browser-"));
	try {
		const file = join(folder, "report.html");
		await writeFile(file, renderReport(sampleResult(LABELS), sampleMetrics(), defaultConfig(), sampleDetails(LABELS)));
		for (const width of [390, 1200]) {
			for (const colorScheme of ["light", "dark"] as const) {
				const complaints = await withPage(browser, pathToFileURL(file).href, { width, colorScheme }, async (page) => {
					const painted = (await page.evaluate(PAINTED)) as number[];
					t.is(painted.length, 2);
					t.true(
						painted.every((share) => share > 0.02 && share < 0.5),
						painted.join(),
					);
					t.true(((await page.evaluate("document.documentElement.scrollWidth")) as number) <= width);
					const background = await page.evaluate("getComputedStyle(document.body).backgroundColor");
					t.is(background, colorScheme === "light" ? "rgb(253, 252, 250)" : "rgb(21, 23, 27)");
					await saveScreenshot(page, `report-${width}-${colorScheme}`);
					if (width > 390 && colorScheme === "dark") await saveScreenshot(page, "report-printed", "print");
					t.is(await page.locator(".matrix tbody th").nth(1).locator("bdi").textContent(), LABELS[1] ?? "");
				});
				t.deepEqual(complaints, []);
			}
		}
		const url = pathToFileURL(file).href;
		t.deepEqual(await withPage(browser, url, { width: 1200, colorScheme: "light" }, (page) => checkUse(t, page)), []);
		await checkSweepReport(t, browser, join(folder, "sweep.html"));
	} finally {
		await browser.close();
		await rm(folder, { recursive: true });
	}
});
