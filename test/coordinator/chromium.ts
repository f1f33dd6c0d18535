import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import type { ExecutionContext } from "ava";
import { type Browser, chromium, type Page } from "playwright-core";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome.exe"];
const QUIET = "--disable-gpu --disable-background-networking --disable-component-update --disable-sync --no-first-run";

/** Starts a browser; undefined if none is installed. */
export async function launchChromium(): Promise<Browser | undefined> {
	const folders = [
		...(process.env.PATH ?? "").split(delimiter),
		"/snap/bin",
		"/Applications/Chromium.app/Contents/MacOS",
	];
	const paths = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
	const executablePath = paths.find((path) => existsSync(path));
	if (!executablePath) return undefined;
	return chromium.launch({ executablePath, args: ["--headless", "--no-sandbox", ...QUIET.split(" ")] });
}

/**
 * Whether there is a browser. If not, the test says which part of it isn't run, and passes if no other part fails.
 * @param notRun default: the whole test
 */
export function hasBrowser(t: ExecutionContext, found: Browser | undefined, notRun = "the test"): found is Browser {
	if (found) return true;
	t.log(`${notRun} isn't run: no chromium in PATH (Debian: apt-get install chromium)`);
	t.pass();
	return false;
}

/** Opens a page that keeps its complaints: messages on the console and errors. */
export async function openPage(browser: Browser, url: string, width = 1200, colorScheme: "light" | "dark" = "light") {
	const complaints: string[] = [];
	const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
	page.on("console", (message) => complaints.push(message.text()));
	page.on("pageerror", (error) => complaints.push(error.message));
	await page.goto(url);
	return { page, complaints };
}

/** Waits until an element has the text. @throws Error after the limit */
export function waitForText(page: Page, selector: string, text: string | RegExp, limitMs = 30_000): Promise<void> {
	return page.locator(selector, { hasText: text }).first().waitFor({ timeout: limitMs });
}

/** Returns the rules of accessibility that the page breaks, of the impact serious or critical. */
export async function findBarriers(page: Page): Promise<string[]> {
	await page.evaluate(AXE);
	const { violations } = (await page.evaluate("axe.run()")) as {
		violations: { id: string; impact: string; nodes: { html: string }[] }[];
	};
	const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
	return serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`);
}

/**
 * Saves a picture of the whole page as test-output/NAME.png, for people who look at the pages after the tests.
 * @param media "print": as it is printed
 */
export async function saveScreenshot(page: Page, name: string, media: "screen" | "print" = "screen"): Promise<void> {
	await page.emulateMedia({ media });
	if (media === "print") await page.evaluate("dispatchEvent(new Event('beforeprint'))");
	await page.screenshot({ path: join("test-output", `${name}.png`), fullPage: true, animations: "disabled" });
	if (media === "print") await page.evaluate("dispatchEvent(new Event('afterprint'))");
	await page.emulateMedia({ media: "screen" });
}
