import { basename, relative } from "node:path";
import { setTimeout } from "node:timers/promises";
import { TailtuneError } from "../../shared/errors.ts";
import { TRACKER_END_MS, TRACKER_RETRY_MS } from "../deadlines.ts";
import type { DetailedEvent } from "../events/detailed-events.ts";
import type { RunEvents } from "../events/run-events.ts";
import type { RunEvent } from "../events/schemas.ts";
import type { MetricsLine } from "../run-folder/result.ts";
import { pointOfLine, pointOfResult, pointsOfLines } from "./tracked-points.ts";
import type { TrackedEnd, TrackedPoint, TrackedRun, Tracker } from "./tracker.ts";

/** Calls of a tracker that fails are kept up to this number; then the oldest points are dropped. */
const MOST_WAITING = 10_000;
/** Points passed in one call. */
const MOST_POINTS = 100;

type Call =
	| { readonly name: "start"; readonly run: TrackedRun }
	| { readonly name: "log"; readonly point: TrackedPoint }
	| { readonly name: "end"; readonly end: TrackedEnd };

/** Passes runs to a tracker, until `close`. */
export interface Tracking {
	/**
	 * Ends the current run. It waits for the tracker, but not longer than TRACKER_END_MS.
	 * @param error with which the run ended
	 */
	close(error?: unknown): Promise<void>;
}

/**
 * Passes the runs of a stream of events to a tracker. The runs never wait for it: calls wait in a bounded queue, and a
 * call that fails is tried again. The first failure is a warning.
 * @param parent names of runs are relative to this folder; default: the folder that holds the run
 */
export function trackRuns(events: RunEvents, tracker: Tracker, parent?: string): Tracking {
	const queue = new TrackerQueue(events, tracker);
	const { follow, end } = followRuns(queue, parent);
	const stops = [events.listen(follow), events.listenForDetails(follow)];
	return {
		async close(error) {
			for (const stop of stops) stop();
			end({ outcome: outcomeOf(error) });
			await queue.close();
		},
	};
}

function outcomeOf(error: unknown): TrackedEnd["outcome"] {
	const isFailure = error !== undefined && !(error instanceof TailtuneError && error.code === "interrupted");
	return isFailure ? "failed" : "interrupted";
}

/** Returns a listener that turns events into calls, and a function that ends the current run, if there is one. */
function followRuns(queue: TrackerQueue, parent: string | undefined) {
	let isRunning = false;
	let previous: MetricsLine | undefined;
	const end = (how: TrackedEnd) => {
		if (isRunning) queue.add({ name: "end", end: how });
		isRunning = false;
	};
	const follow = (event: RunEvent | DetailedEvent) => {
		if (event.event === "run-started") {
			const { folder, config, metrics } = event;
			isRunning = true;
			previous = metrics.at(-1);
			const name = parent === undefined ? basename(folder) : relative(parent, folder);
			const earlier = pointsOfLines(metrics, Date.now());
			queue.add({ name: "start", run: { name, folder, config, earlier } });
		} else if (event.event === "step" || event.event === "epoch") {
			const { event: _, ...line } = event;
			queue.add({ name: "log", point: pointOfLine(line, previous, Date.now()) });
			previous = line;
		} else if (event.event === "result") end({ outcome: "finished", scores: pointOfResult(event, Date.now()) });
	};
	return { follow, end };
}

class TrackerQueue {
	readonly #events: RunEvents;
	readonly #tracker: Tracker;
	readonly #waiting: Call[] = [];
	#inFlight: readonly Call[] = [];
	readonly #closing = new AbortController();
	#passing: Promise<void> | undefined;
	#mayReport = true;
	#dropped = 0;

	constructor(events: RunEvents, tracker: Tracker) {
		this.#events = events;
		this.#tracker = tracker;
	}

	add(call: Call): void {
		const oldest = this.#waiting.length < MOST_WAITING ? -1 : this.#waiting.findIndex(({ name }) => name === "log");
		if (oldest >= 0) {
			this.#waiting.splice(oldest, 1);
			this.#dropped++;
		}
		this.#waiting.push(call);
		this.#passing ??= this.#passAll().finally(() => {
			this.#passing = undefined;
		});
	}

	async close(): Promise<void> {
		this.#closing.abort();
		await Promise.race([this.#passing, setTimeout(TRACKER_END_MS, undefined, { ref: false })]);
		this.#mayReport = false;
		const left = [...this.#inFlight, ...this.#waiting];
		const lost = this.#dropped + left.filter(({ name }) => name === "log").length;
		if (lost > 0) this.#events.warn(`${this.#tracker.name}: ${lost} evaluations weren't recorded`);
		else if (left.length > 0) this.#events.warn(`${this.#tracker.name}: the end of the run wasn't recorded`);
	}

	async #passAll(): Promise<void> {
		while (this.#waiting.length > 0) {
			const others = this.#waiting.findIndex(({ name }) => name !== "log");
			const calls = this.#waiting.splice(0, Math.min(others < 0 ? MOST_POINTS : others || 1, MOST_POINTS));
			this.#inFlight = calls;
			const failure = await this.#pass(calls).then(
				() => undefined,
				(error: unknown) => ({ error }),
			);
			this.#inFlight = [];
			if (!failure) continue;
			this.#waiting.unshift(...calls);
			this.#report(failure.error);
			if (this.#closing.signal.aborted) return;
			await setTimeout(TRACKER_RETRY_MS, undefined, { signal: this.#closing.signal }).catch(() => {});
		}
	}

	async #pass(calls: readonly Call[]): Promise<void> {
		const [first] = calls;
		if (first?.name === "start") return this.#tracker.start(first.run);
		if (first?.name === "end") return this.#tracker.end(first.end);
		return this.#tracker.log(calls.flatMap((call) => (call.name === "log" ? [call.point] : [])));
	}

	#report(error: unknown): void {
		if (!this.#mayReport) return;
		this.#mayReport = false;
		const message = error instanceof Error ? error.message : String(error);
		this.#events.warn(`${message}; the run continues, and evaluations are recorded later if possible`);
	}
}
