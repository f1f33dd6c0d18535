import { debuglog } from "node:util";
import type { RunProgress } from "../../shared/messages.ts";
import type { Notices } from "../../shared/notices.ts";
import type { Dispatcher } from "../cluster/dispatcher.ts";
import { PROGRESS_PUBLISH_MS } from "../deadlines.ts";
import type { RunEvents } from "../events/run-events.ts";
import type { RunEvent } from "../events/schemas.ts";

const log = debuglog("tailtune");

/** Destination of the progress, and the problems published with it. */
export interface ProgressTarget {
	readonly report: (progress: RunProgress) => Promise<void>;
	readonly notices: Notices;
	readonly dispatcher: Pick<Dispatcher, "listActivity">;
}

/** Most workers in the progress. */
const MOST_WORKERS = 100;

const PRESENT = new Set(["computing", "waiting"]);

/** Publishes the progress of a run for `tailtune runs`, at once and about every second. The run never waits for it. */
export class ProgressPublisher {
	readonly #target: ProgressTarget;
	readonly #timer: NodeJS.Timeout;
	readonly #stopListening: () => void;
	#progress: RunProgress;
	#isPublishing = false;

	/** @param progress published until an event changes it */
	constructor(events: RunEvents, progress: RunProgress, target: ProgressTarget) {
		this.#progress = progress;
		this.#target = target;
		this.#stopListening = events.listen((event) => this.#follow(event));
		this.#timer = setInterval(() => this.#publish(), PROGRESS_PUBLISH_MS).unref();
		this.#publish();
	}

	end(): void {
		this.#stopListening();
		clearInterval(this.#timer);
	}

	#follow(event: RunEvent): void {
		if (event.event === "phase" || event.event === "progress") {
			const { name, done, total, unit } = event;
			const secondsLeft = event.event === "progress" ? (event.secondsLeft ?? 0) : 0;
			this.#progress = { ...this.#progress, phase: name, done, total, unit, secondsLeft };
		} else if (event.event === "epoch") {
			const { epoch, validation } = event;
			this.#progress = { ...this.#progress, epoch, validation };
		}
	}

	#publish(): void {
		if (this.#isPublishing) return;
		this.#isPublishing = true;
		const { report, notices, dispatcher } = this.#target;
		report({ ...this.#progress, notices: notices.lasting, workers: workersOf(dispatcher) })
			.catch((error) => log("run %s: can't publish its progress: %s", this.#progress.runId, error))
			.finally(() => {
				this.#isPublishing = false;
			});
	}
}

function workersOf(dispatcher: ProgressTarget["dispatcher"]): RunProgress["workers"] {
	const workers = dispatcher.listActivity().map(({ worker: { workerId }, state, speed, texts }) => {
		return { workerId, state, speed, texts };
	});
	const rank = ({ state }: { readonly state: string }) => (PRESENT.has(state) ? 0 : 1);
	return workers.sort((a, b) => rank(a) - rank(b)).slice(0, MOST_WORKERS);
}
