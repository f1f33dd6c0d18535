// Needs an installed chromium (Debian: apt-get install chromium).
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

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
