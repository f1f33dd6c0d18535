import type { DetailedEvent } from "./detailed-events.ts";
import type { RunEvent } from "./schemas.ts";

/** The most events that wait for a slow listener; if there are more, the oldest ones are dropped. */
const MOST_WAITING = 1000;

/** Called with each event, in order. While a promise that it returns is pending, later events wait for it. */
export type Listener<E extends RunEvent | DetailedEvent = RunEvent> = (event: E) => unknown;

/** Passes events to one listener, one after another. A slow or failing listener doesn't affect the sender. */
export class ListenerQueue<E extends RunEvent | DetailedEvent = RunEvent> {
	readonly #listener: Listener<E>;
	readonly #waiting: E[] = [];
	#isBusy = false;
	#hasFailed = false;

	constructor(listener: Listener<E>) {
		this.#listener = listener;
	}

	/** Calls the listener now, or, while its promise is pending, after the earlier events. */
	push(event: E): void {
		if (!this.#isBusy) {
			this.#call(event);
			return;
		}
		const last = this.#waiting.at(-1);
		// Of several reports of progress only the newest one is needed.
		const isNewer = event.event === "progress" && last?.event === "progress";
		if (isNewer && last.name === event.name && last.trial === event.trial) this.#waiting.pop();
		if (this.#waiting.length >= MOST_WAITING) this.#waiting.shift();
		this.#waiting.push(event);
	}

	#call(event: E): void {
		try {
			const answer = this.#listener(event);
			if (!(answer instanceof Promise)) return;
			this.#isBusy = true;
			answer
				.catch((error) => this.#report(error))
				.finally(() => {
					this.#isBusy = false;
					this.#callWaiting();
				});
		} catch (error) {
			this.#report(error);
		}
	}

	#callWaiting(): void {
		while (!this.#isBusy) {
			const next = this.#waiting.shift();
			if (next === undefined) return;
			this.#call(next);
		}
	}

	/** Reports an error on standard error, but only the first one: a listener may fail at every event. */
	#report(error: unknown): void {
		if (this.#hasFailed) return;
		this.#hasFailed = true;
		process.emitWarning(`a listener of the run's events failed: ${error instanceof Error ? error.message : error}`);
	}
}
