import { TailtuneError } from "../errors.ts";
import { splitHostPort } from "./host-port.ts";

/** Of a nats-server. */
const DEFAULT_PORT = 4222;

/**
 * Checks the value of `--nats` when the command line is parsed, so before anything begins.
 * @throws TailtuneError "usage" if a member of the list isn't HOST, HOST:PORT or nats://HOST:PORT, or has credentials
 */
export function checkNatsUrls(text: string): string {
	const urls = text.split(",").map((url) => url.trim());
	// A URL is visible in process lists, logs and shell histories.
	if (urls.some((url) => url.includes("@")))
		throw new TailtuneError(
			"usage",
			"--nats: a URL with credentials, expected them in the environment: TAILTUNE_NATS_*",
		);
	for (const url of urls) {
		const place = url.replace(/^nats:\/\//, "").replace(/\/$/, "");
		const parts = splitHostPort(/:\d+$/.test(place) ? place : `${place}:${DEFAULT_PORT}`);
		if (parts && parts.port > 0) continue;
		const expected = "expected nats://HOST:PORT, or several with commas between";
		throw new TailtuneError("usage", `--nats: found ${JSON.stringify(url)}, ${expected}`);
	}
	return text;
}
