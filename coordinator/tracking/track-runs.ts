import { basename, relative } from "node:path";
import { setTimeout } from "node:timers/promises";
import { TRACKER_END_MS, TRACKER_RETRY_MS } from "../deadlines.ts";
import type { DetailedEvent } from "../events/detailed-events.ts";
import type { RunEvents } from "../events/run-events.ts";
import type { RunEvent } from "../events/schemas.ts";
import type { MetricsLine } from "../run-folder/result.ts";
import { pointOfLine, pointOfResult, pointsOfLines } from "./tracked-points.ts";
import type { TrackedPoint, TrackedRun, Tracker } from "./tracker.ts";

/** Calls of a tracker that fails are kept up to this number; then the oldest points are dropped. */
const MOST_WAITING = 10_000;
/** Points passed in one call. */
const MOST_POINTS = 100;

type Call =
	| { readonly name: "start"; readonly run: TrackedRun }
	| { readonly name: "log"; readonly point: TrackedPoint }
	| { readonly name: "end"; readonly scores: TrackedPoint | undefined };

/** Passes runs to a tracker, until `close`. */
export interface Tracking {
	/** Ends the current run. It waits for the tracker, but not longer than TRACKER_END_MS. */
	close(): Promise<void>;
}

/**
 * Passes the runs of a stream of events to a tracker. The runs never wait for it: calls wait in a bounded queue, and a
 * call that fails is tried again. The first failure is a warning.
 * @param parent names of runs are relative to this folder; default: the folder that holds the run
 */
export function trackRuns(events: RunEvents, tracker: Tracker, parent?: string): Tracking {
	const queue = new TrackerQueue(events, tracker);
	const follow = followRuns(queue, parent);
	const stops = [events.listen(follow), events.listenForDetails(follow)];
	return {
		async close() {
			for (const stop of stops) stop();
			follow(undefined);
			await queue.close();
		},
	};
}

/** Returns a listener that turns events into calls. Without an event, the current run ends without a result. */
function followRuns(queue: TrackerQueue, parent: string | undefined) {
	let isRunning = false;
	let previous: MetricsLine | undefined;
	const end = (scores?: TrackedPoint) => {
		if (isRunning) queue.add({ name: "end", scores });
		isRunning = false;
	};
	return (event: RunEvent | DetailedEvent | undefined) => {
		if (event === undefined) return end();
		if (event.event === "run-started") {
			const { folder, config, metrics } = event;
			end();
			isRunning = true;
			previous = metrics.at(-1);
			const name = parent === undefined ? basename(folder) : relative(parent, folder);
			const earlier = pointsOfLines(metrics, Date.now());
			queue.add({ name: "start", run: { name, config, earlier } });
		} else if (event.event === "step" || event.event === "epoch") {
			const { event: _, ...line } = event;
			queue.add({ name: "log", point: pointOfLine(line, previous, Date.now()) });
			previous = line;
		} else if (event.event === "result") end(pointOfResult(event, Date.now()));
	};
}

class TrackerQueue {
	readonly #events: RunEvents;
	readonly #tracker: Tracker;
	readonly #waiting: Call[] = [];
	readonly #closing = new AbortController();
	#passing: Promise<void> | undefined;
	#hasFailed = false;
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
		const lost = this.#dropped + this.#waiting.filter(({ name }) => name === "log").length;
		if (lost > 0) this.#events.warn(`${this.#tracker.name}: ${lost} evaluations weren't recorded`);
	}

	async #passAll(): Promise<void> {
		while (this.#waiting.length > 0) {
			const others = this.#waiting.findIndex(({ name }) => name !== "log");
			const calls = this.#waiting.splice(0, Math.min(others < 0 ? MOST_POINTS : others || 1, MOST_POINTS));
			try {
				await this.#pass(calls);
			} catch (error) {
				this.#waiting.unshift(...calls);
				this.#report(error);
				if (this.#closing.signal.aborted) return;
				await setTimeout(TRACKER_RETRY_MS, undefined, { signal: this.#closing.signal }).catch(() => {});
			}
		}
	}

	async #pass(calls: readonly Call[]): Promise<void> {
		const [first] = calls;
		if (first?.name === "start") return this.#tracker.start(first.run);
		if (first?.name === "end") return this.#tracker.end(first.scores);
		return this.#tracker.log(calls.flatMap((call) => (call.name === "log" ? [call.point] : [])));
	}

	#report(error: unknown): void {
		if (this.#hasFailed) return;
		this.#hasFailed = true;
		const message = error instanceof Error ? error.message : String(error);
		this.#events.warn(`${message}; the run continues, and evaluations are recorded later if possible`);
	}
}
