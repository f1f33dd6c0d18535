import type { Clock } from "../../../shared/bus/clock.ts";

/** A clock whose time passes only when told to. */
export class VirtualClock implements Clock {
	#nowMs = 0;
	readonly #timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();

	schedule(callback: () => void, delayMs: number): () => void {
		const timer = { atMs: this.#nowMs + delayMs, callback };
		if (delayMs !== Number.POSITIVE_INFINITY) this.#timers.add(timer);
		return () => this.#timers.delete(timer);
	}

	/** Timers that would still go off. */
	get pending(): number {
		return this.#timers.size;
	}

	/** Lets time pass: what is due happens in order, and all that follows from it before the next. */
	async advance(ms: number): Promise<void> {
		const endMs = this.#nowMs + ms;
		await settle();
		for (;;) {
			const due = [...this.#timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
			if (!due) break;
			this.#timers.delete(due);
			this.#nowMs = due.atMs;
			due.callback();
			await settle();
		}
		this.#nowMs = endMs;
	}
}

/** Lets promises run on until there is nothing left to do. */
export async function settle(): Promise<void> {
	// A round of the event loop begins when no promise is ready; engines of tests may take a round of their own.
	for (let round = 0; round < 3; round++) await new Promise<void>((resolve) => setImmediate(resolve));
}
