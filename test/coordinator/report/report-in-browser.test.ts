// Needs an installed chromium; without one only render-report.test.ts checks the page.
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";
import { type Browser, chromium, type Page } from "playwright-core";
import { renderReport } from "../../../coordinator/report/render-report.ts";
import { defaultConfig } from "../../../shared/settings/resolve-config.ts";
import { sampleMetrics, sampleResult } from "../run-folder/sample-run.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome.exe"];
const QUIET = "--disable-gpu --disable-background-networking --disable-component-update --disable-sync --no-first-run";
const LABELS = ["ham", '</script><b>"spam"', ...Array.from({ length: 12 }, (_, i) => `a rather long label ${i}`)];

function findChromium(): string | undefined {
	const folders = [
		...(process.env.PATH ?? "").split(delimiter),
		"/snap/bin",
		"/Applications/Chromium.app/Contents/MacOS",
	];
	return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path));
}

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

/** Runs in the page: computes the share of painted pixels of each canvas. */
const PAINTED = `[...document.querySelectorAll("[data-chart] canvas")].map((canvas) => {
	const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
	return data.filter((value, i) => i % 4 === 3 && value > 0).length / (data.length / 4);
})`;

test("the report draws both charts, sends no request and fits the window: wide and narrow, light and dark", async (t) => {
	const executablePath = findChromium();
	if (!executablePath) {
		t.log("not run: no chromium in PATH (Debian: apt-get install chromium)");
		t.pass();
		return;
	}
	const folder = await mkdtemp(join(tmpdir(), "report-in-browser-"));
	const browser = await chromium.launch({ executablePath, args: ["--headless", "--no-sandbox", ...QUIET.split(" ")] });
	try {
		const file = join(folder, "report.html");
		await writeFile(file, renderReport(sampleResult(LABELS), sampleMetrics(), defaultConfig()));
		for (const width of [400, 1200]) {
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
					t.is(await page.locator(".matrix tbody th").nth(1).locator("bdi").textContent(), LABELS[1] ?? "");
				});
				t.deepEqual(complaints, []);
			}
		}
	} finally {
		await browser.close();
		await rm(folder, { recursive: true });
	}
});
