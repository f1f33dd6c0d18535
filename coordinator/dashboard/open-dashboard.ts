import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { isWildcardAddress } from "../cluster/wildcard-address.ts";
import { VIEWERS_STAY_MS } from "../deadlines.ts";
import type { DetailedEvent } from "../events/detailed-events.ts";
import type { RunEvents } from "../events/run-events.ts";
import type { RunEvent } from "../events/schemas.ts";
import { type HttpServer, listenHttp } from "../http/listen-http.ts";
import { isLoopback } from "../rpc/server.ts";
import { dashboardApp } from "./dashboard-app.ts";
import { INITIAL_STATE } from "./dashboard-state.ts";
import { reduceEvent } from "./reduce-event.ts";
import { Viewers } from "./viewers.ts";

/** The port without `--dashboard HOST:PORT`, and how many are tried from it on. */
const FIRST_PORT = 7007;
const TRIED_PORTS = 20;

/** A page that shows a run while it trains. */
export interface Dashboard {
	/** Address of the page, with its token. */
	readonly url: string;
	/** Aborts when a viewer stops the run. */
	readonly cancelled: AbortSignal;
	/** Whether a page is open. */
	readonly hasViewers: boolean;
	/** Shows that the run ended with an error. */
	showFailure(error: unknown): void;
	/** Waits until all pages are closed, or the signal aborts. */
	waitForViewers(interrupt: AbortSignal): Promise<void>;
	close(): Promise<void>;
}

/**
 * Serves a page with the events of a run. Everything except the page's own files needs a random token, which is in the
 * address: other users of the machine could reach a port on loopback too.
 * @param address HOST:PORT; default: port 7007 on loopback, or the next free one
 * @throws TailtuneError "usage" if it can't listen there
 */
export async function openDashboard(events: RunEvents, address: string | undefined): Promise<Dashboard> {
	const viewers = new Viewers();
	const token = randomBytes(16).toString("hex");
	const cancelled = new AbortController();
	let state = INITIAL_STATE;
	const onlyLoopback = address === undefined || isLoopback(address);
	const app = dashboardApp({ viewers, token, onlyLoopback, cancel: () => cancelled.abort() });
	const server = await listen(app, address);
	const follow = (event: RunEvent | DetailedEvent) => {
		state = reduceEvent(state, event);
		viewers.show(state);
	};
	const stops = [events.listen(follow), events.listenForDetails(follow)];
	return {
		url: `http://${dialable(server.address)}/#token=${token}`,
		cancelled: cancelled.signal,
		get hasViewers() {
			return viewers.count > 0;
		},
		showFailure(error) {
			const isStopped = error instanceof TailtuneError && error.code === "interrupted";
			const message = error instanceof Error ? error.message : String(error);
			state = { ...state, end: { state: isStopped ? "stopped" : "failed", message } };
			viewers.show(state);
		},
		waitForViewers: (interrupt) =>
			viewers.waitUntilGone(AbortSignal.any([interrupt, AbortSignal.timeout(VIEWERS_STAY_MS)])),
		async close() {
			for (const stop of stops) stop();
			await viewers.end();
			await server.close();
		},
	};
}

async function listen(app: ReturnType<typeof dashboardApp>, address: string | undefined): Promise<HttpServer> {
	const fetch = app.fetch as Parameters<typeof listenHttp>[0]["fetch"];
	if (address !== undefined) return listenHttp({ fetch }, address, undefined, true);
	for (let port = FIRST_PORT; port < FIRST_PORT + TRIED_PORTS; port++) {
		try {
			return await listenHttp({ fetch }, `127.0.0.1:${port}`, undefined, true);
		} catch (error) {
			if (!(error instanceof Error && systemCodeOf(error.cause) === "EADDRINUSE")) throw error;
		}
	}
	return listenHttp({ fetch }, "127.0.0.1:0", undefined, true);
}

/** Replaces the address that means all addresses by the name of this host. */
function dialable(address: string): string {
	return isWildcardAddress(address) ? address.replace(/^.*(?=:)/, hostname()) : address;
}
