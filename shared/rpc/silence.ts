import { type Clock, realClock } from "../clock.ts";
import { TailtuneError } from "../errors.ts";

/** The error if the other side of a call sent nothing for too long: it hangs or can't be reached. */
export class SilenceError extends TailtuneError {
	constructor(ms: number) {
		super("offline", `gRPC: nothing was heard from the other side for ${ms / 1000} s`);
	}
}

/** Ends a call if the other side sends nothing for too long. */
export class SilenceLimit {
	readonly error: SilenceError;
	readonly #end: (error: SilenceError) => void;
	readonly #ms: number;
	readonly #clock: Clock;
	#isOver = false;
	#cancel = () => {};

	/** @param end called once, after this number of milliseconds without a message */
	constructor(ms: number, end: (error: SilenceError) => void, clock: Clock = realClock) {
		this.error = new SilenceError(ms);
		this.#ms = ms;
		this.#end = end;
		this.#clock = clock;
	}

	/** Whether the time is over. */
	get isOver(): boolean {
		return this.#isOver;
	}

	/** Starts the time, again from 0 if a message has arrived. */
	wait(): void {
		this.#cancel();
		this.#cancel = this.#clock.schedule(() => {
			this.#isOver = true;
			this.#end(this.error);
		}, this.#ms);
	}

	/** Stops the time. */
	stop(): void {
		this.#cancel();
	}
}
