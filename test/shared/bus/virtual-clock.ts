import type { Clock } from "../../../shared/clock.ts";

interface Timer {
	readonly atMs: number;
	readonly callback: () => void;
}

/** A clock whose time passes only in `advance` and `runUntil`. */
export class VirtualClock implements Clock {
	#nowMs = 0;
	/** Sorted by time; timers with equal times in the order of creation. */
	readonly #timers: Timer[] = [];

	schedule(callback: () => void, delayMs: number): () => void {
		if (delayMs === Number.POSITIVE_INFINITY) return () => {};
		const timer = { atMs: this.#nowMs + delayMs, callback };
		this.#timers.splice(this.#placeAfter(timer.atMs), 0, timer);
		return () => {
			const place = this.#timers.indexOf(timer);
			if (place >= 0) this.#timers.splice(place, 1);
		};
	}

	/** Milliseconds since the clock was created. */
	get now(): number {
		return this.#nowMs;
	}

	/** Number of timers that have not run yet. */
	get pending(): number {
		return this.#timers.length;
	}

	/** Lets time pass: runs the due timers in order, each with everything that follows from it before the next timer. */
	async advance(ms: number): Promise<void> {
		const endMs = this.#nowMs + ms;
		await settle();
		while (await this.#next(endMs, settle));
		this.#nowMs = endMs;
	}

	/**
	 * Lets time pass from timer to timer, for code that waits only for timers and promises.
	 * @returns whether `isDone` became true before `endMs` and before the last timer had run
	 */
	async runUntil(isDone: () => boolean, endMs: number): Promise<boolean> {
		await turn();
		while (!isDone()) if (!(await this.#next(endMs, turn))) return false;
		return true;
	}

	async #next(endMs: number, follow: () => Promise<void>): Promise<boolean> {
		const [due] = this.#timers;
		if (!due || due.atMs > endMs) return false;
		this.#timers.shift();
		this.#nowMs = due.atMs;
		due.callback();
		await follow();
		return true;
	}

	#placeAfter(atMs: number): number {
		let low = 0;
		let high = this.#timers.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((this.#timers[middle] as Timer).atMs <= atMs) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}

/** Waits until all promises that are ready have been processed. */
export async function settle(): Promise<void> {
	// Engines of tests may use the event loop themselves.
	for (let round = 0; round < 3; round++) await turn();
}

/** Waits for the next turn of the event loop, which begins when no promise is ready. */
function turn(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
