import type { Clock } from "../../../shared/clock.ts";

interface Timer {
	readonly atMs: number;
	readonly callback: () => void;
}

/** A clock whose time passes only when told to. */
export class VirtualClock implements Clock {
	#nowMs = 0;
	/** By time; of equals the first that was made. */
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

	/** Milliseconds since it was made. */
	get now(): number {
		return this.#nowMs;
	}

	/** Timers that would still go off. */
	get pending(): number {
		return this.#timers.length;
	}

	/** Lets time pass: what is due happens in order, and all that follows from it before the next. */
	async advance(ms: number): Promise<void> {
		const endMs = this.#nowMs + ms;
		await settle();
		while (await this.#next(endMs, settle));
		this.#nowMs = endMs;
	}

	/**
	 * Lets time pass from timer to timer, for what waits for nothing but timers and promises.
	 * @returns whether it came to pass, before `endMs` and before there was nothing more to happen
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

/** Lets promises run on until there is nothing left to do. */
export async function settle(): Promise<void> {
	// Engines of tests may take a round of the event loop of their own.
	for (let round = 0; round < 3; round++) await turn();
}

/** A round of the event loop: it begins when no promise is ready. */
function turn(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
