import { type Clock, realClock } from "../clock.ts";
import { TailtuneError } from "../errors.ts";

/** The other side of a call said nothing for too long: it hangs, or is out of reach. */
export class SilenceError extends TailtuneError {
	constructor(ms: number) {
		super("offline", `gRPC: nothing was heard from the other side for ${ms / 1000} s`);
	}
}

/** Ends a call if nothing is heard from the other side for too long. */
export class SilenceLimit {
	readonly error: SilenceError;
	readonly #end: (error: SilenceError) => void;
	readonly #ms: number;
	readonly #clock: Clock;
	#isOver = false;
	#cancel = () => {};

	/** @param end called once, when it was silent for so many ms */
	constructor(ms: number, end: (error: SilenceError) => void, clock: Clock = realClock) {
		this.error = new SilenceError(ms);
		this.#ms = ms;
		this.#end = end;
		this.#clock = clock;
	}

	/** Whether it was silent for too long. */
	get isOver(): boolean {
		return this.#isOver;
	}

	/** Begins to wait for the other side, anew if something was heard. */
	wait(): void {
		this.#cancel();
		this.#cancel = this.#clock.schedule(() => {
			this.#isOver = true;
			this.#end(this.error);
		}, this.#ms);
	}

	/** Waits no longer. */
	stop(): void {
		this.#cancel();
	}
}
