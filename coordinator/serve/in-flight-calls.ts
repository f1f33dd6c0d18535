import { setMaxListeners } from "node:events";
import { TailtuneError } from "../../shared/errors.ts";
import type { Log } from "./log.ts";
import type { ServeMetrics } from "./metrics.ts";

/** Counts and logs every call, of gRPC and HTTP, and waits for the unfinished ones when the server stops. */
export class InFlightCalls {
	readonly #metrics: ServeMetrics;
	readonly #log: Log;
	readonly #draining = new AbortController();
	#underWay = 0;
	#becomeIdle = () => {};

	constructor(metrics: ServeMetrics, log: Log) {
		this.#metrics = metrics;
		this.#log = log;
		setMaxListeners(0, this.draining); // one per open stream
	}

	/** Aborts when the server stops accepting new calls. */
	get draining(): AbortSignal {
		return this.#draining.signal;
	}

	/**
	 * Runs a call.
	 * @param size logged with its outcome: sizes, never the text
	 * @throws TailtuneError "offline" if the server is stopping, and the errors of `answer`
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

	/** Records the start of a call. Returns a function that records its end. */
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

	/** @throws TailtuneError "offline" if the server is stopping */
	refuseWhenDraining(): void {
		if (this.draining.aborted) throw new TailtuneError("offline", "the server is stopping; try another one");
	}

	/** Refuses new calls and waits for the unfinished ones, at most `limitMs`. Returns how many did not finish. */
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
