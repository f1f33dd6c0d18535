import { TailtuneError } from "../../shared/errors.ts";
import { VIEWERS_STAY_MS } from "../deadlines.ts";
import type { DetailedEvent } from "../events/detailed-events.ts";
import type { RunEvents } from "../events/run-events.ts";
import type { RunEvent } from "../events/schemas.ts";
import { TimeLimit } from "../time-limit.ts";
import { ADVICE, ADVICE_FOR_LOCAL_WORKERS } from "./advice.ts";
import { addDashboard } from "./dashboard-app.ts";
import { type DashboardState, INITIAL_STATE } from "./dashboard-state.ts";
import { createPageApp } from "./page-app.ts";
import type { PageOptions } from "./page-options.ts";
import { reduceEvent } from "./reduce-event.ts";
import { RunClassifier } from "./run-classifier.ts";
import { Viewers } from "./viewers.ts";

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
 * Serves a page with the events of a run, and classifies texts after its end.
 * @throws TailtuneError "usage" if it can't listen there
 */
export async function openDashboard(events: RunEvents, options: PageOptions): Promise<Dashboard> {
	const viewers = new Viewers();
	const classifier = new RunClassifier(options.openCluster);
	const cancelled = new AbortController();
	const advice = options.hasLocalWorkers ? ADVICE_FOR_LOCAL_WORKERS : ADVICE;
	let state = INITIAL_STATE;
	const page = createPageApp(options);
	addDashboard({ viewers, page, classifier, cancel: () => cancelled.abort(), folder: () => finishedFolder(state) });
	const server = await page.listen();
	const follow = (event: RunEvent | DetailedEvent) => {
		state = reduceEvent(state, event, advice);
		viewers.show(state);
	};
	const stops = [events.listen(follow), events.listenForDetails(follow)];
	return {
		url: server.url,
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
		waitForViewers: (interrupt) => viewers.waitUntilGone(new TimeLimit(VIEWERS_STAY_MS, interrupt).signal),
		async close() {
			for (const stop of stops) stop();
			await viewers.end();
			await Promise.all([server.close(), classifier.close()]);
		},
	};
}

function finishedFolder({ run, end }: DashboardState): string {
	if (run && end?.state === "finished") return run.folder;
	throw new TailtuneError("not-found", "the run isn't finished: found no predictions and no model yet");
}
