import { setTimeout as sleep } from "node:timers/promises";

/** How a process ended. */
export interface ProcessEnd {
	/** As in "SIGKILL", or "code 1: " and the last line that it wrote to standard error. */
	readonly how: string;
	/** Null if a signal ended it. */
	readonly code: number | null;
	/** Whether it had begun to do its work. */
	readonly wasReady: boolean;
}

/** A process that a supervisor keeps running. */
export interface SupervisedProcess {
	/** Settles when it has ended, whatever the reason. */
	readonly ended: Promise<ProcessEnd>;
	/** Asks it to end, kills it after its time limit, and waits until it has ended. */
	stop(): Promise<void>;
}

/** When an ended process is started again. */
export interface RestartPolicy {
	/** Restarts in a row, after which it is given up. Unset: no limit. */
	readonly maxRestarts?: number;
	/** Ends in a row before any process was ready, after which it is given up. Unset: as `maxRestarts`. */
	readonly maxFailedStarts?: number;
	/** Exit codes after which it isn't started again: the next process would end in the same way. Default: none. */
	readonly hopelessCodes?: readonly number[];
	/** Milliseconds before the first restart in a row; doubled with each further one. */
	readonly firstPauseMs: number;
	readonly longestPauseMs: number;
	/** A process that was ready and ran for longer than this begins a new row. Unset: the row never ends. */
	readonly stableMs?: number;
}

export interface SupervisorOptions<P extends SupervisedProcess> {
	/** Starts a process. Rejects, and leaves no process behind, if that fails or the signal aborts. */
	readonly start: (stopping: AbortSignal) => P | Promise<P>;
	/** Runs already and is supervised first. Unset: `start` gives the first one. */
	readonly first?: P;
	readonly policy: RestartPolicy;
	/** Called before each restart. @param pauseMs how long that waits */
	readonly onRestart: (end: ProcessEnd, pauseMs: number) => void;
}

/** Why no more processes are started. */
export interface GivenUp {
	/** How many ended in a row. */
	readonly ends: number;
	readonly last: ProcessEnd;
}

/** Keeps one process running until it is stopped, or ends too often. */
export class Supervisor<P extends SupervisedProcess> {
	/** Settles when no process runs any more: with the reason if it was given up. Rejects if `start` fails. */
	readonly ended: Promise<GivenUp | undefined>;
	readonly #options: SupervisorOptions<P>;
	readonly #stopping = new AbortController();
	#process: P | undefined;
	#wasReady = false;

	constructor(options: SupervisorOptions<P>) {
		this.#options = options;
		this.ended = this.#run().catch((error) => {
			if (!this.#stopping.signal.aborted) throw error;
			return undefined;
		});
	}

	/** Stops the process, one that is just being started too, and waits until it has ended. */
	async stop(): Promise<void> {
		this.#stopping.abort();
		await this.#process?.stop();
		await this.ended.catch(() => {});
	}

	async #run(): Promise<GivenUp | undefined> {
		const { start, first, policy, onRestart } = this.#options;
		const { signal } = this.#stopping;
		let process = first ?? (await start(signal));
		for (let ends = 1; ; ends++) {
			const startedAt = performance.now();
			const last = await this.#untilEnded(process);
			if (signal.aborted) return undefined;
			this.#wasReady ||= last.wasReady;
			if (last.wasReady && performance.now() - startedAt > (policy.stableMs ?? Number.POSITIVE_INFINITY)) ends = 1;
			if (this.#isGivenUp(ends, last)) return { ends, last };
			const pauseMs = Math.min(policy.firstPauseMs * 2 ** (ends - 1), policy.longestPauseMs);
			onRestart(last, pauseMs);
			await sleep(pauseMs, undefined, { signal });
			process = await start(signal);
		}
	}

	async #untilEnded(process: P): Promise<ProcessEnd> {
		this.#process = process;
		if (this.#stopping.signal.aborted) await process.stop();
		return process.ended;
	}

	#isGivenUp(ends: number, { code }: ProcessEnd): boolean {
		const { maxRestarts, maxFailedStarts, hopelessCodes = [] } = this.#options.policy;
		if (code !== null && hopelessCodes.includes(code)) return true;
		if (!this.#wasReady && maxFailedStarts !== undefined) return ends >= maxFailedStarts;
		return maxRestarts !== undefined && ends > maxRestarts;
	}
}
