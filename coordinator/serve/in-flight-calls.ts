import { TailtuneError } from "../../shared/errors.ts";
import type { Log } from "./log.ts";
import type { ServeMetrics } from "./metrics.ts";

/** Every call, whichever way it came: counted, logged, and waited for when the server ends. */
export class Calls {
	readonly #metrics: ServeMetrics;
	readonly #log: Log;
	readonly #draining = new AbortController();
	#underWay = 0;
	#becomeIdle = () => {};

	constructor(metrics: ServeMetrics, log: Log) {
		this.#metrics = metrics;
		this.#log = log;
	}

	/** Aborts when no new call is taken any more. */
	get draining(): AbortSignal {
		return this.#draining.signal;
	}

	/**
	 * Answers a call.
	 * @param size what is logged of it beside its outcome, never the text
	 * @throws TailtuneError "offline" where the server is ending, and as `answer`
	 */
	async run<Result>(method: string, size: object, answer: () => Promise<Result>): Promise<Result> {
		const end = this.begin(method, size);
		try {
			this.refuseWhenDraining();
			const result = await answer();
			end();
			return result;
		} catch (error) {
			end(error);
			throw error;
		}
	}

	/** A call begins. Returns what tells of its end. */
	begin(method: string, size: object): (error?: unknown) => void {
		const startMs = performance.now();
		this.#underWay++;
		return (error) => {
			const seconds = (performance.now() - startMs) / 1000;
			const code = this.#metrics.call(method, seconds, error);
			const isOurs = error === undefined || error instanceof TailtuneError;
			const line = { method, code, ms: Math.round(seconds * 1e4) / 10, ...size, ...(isOurs ? {} : { err: error }) };
			if (isOurs) this.#log.debug(line, "call");
			else this.#log.error(line, "call failed");
			this.#underWay--;
			if (this.#underWay === 0) this.#becomeIdle();
		};
	}

	/** @throws TailtuneError "offline" where the server is ending */
	refuseWhenDraining(): void {
		if (this.draining.aborted) throw new TailtuneError("offline", "the server is ending; try another one");
	}

	/** Takes no new call, and waits for those under way, but not longer than that. Returns how many were left. */
	async drain(limitMs: number): Promise<number> {
		this.#draining.abort();
		if (this.#underWay === 0) return 0;
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, limitMs);
			this.#becomeIdle = () => {
				clearTimeout(timer);
				resolve();
			};
		});
		return this.#underWay;
	}
}
