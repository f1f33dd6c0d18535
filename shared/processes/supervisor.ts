import { setTimeout as sleep } from "node:timers/promises";

/** How a process ended. */
export interface ProcessEnd {
	/** For example "SIGKILL", or "code 1: " and the last line written to standard error. */
	readonly how: string;
	/** Null if a signal ended it. */
	readonly code: number | null;
	/** Whether it was ready for work, for example had joined. */
	readonly wasReady: boolean;
}

/** A process that a supervisor keeps running. */
export interface SupervisedProcess {
	/** Settles when the process has ended for any reason. */
	readonly ended: Promise<ProcessEnd>;
	/** Sends SIGTERM, kills the process after a time limit, and waits until it has ended. */
	stop(): Promise<void>;
}

/** Rules for restarting an ended process. */
export interface RestartPolicy {
	/** Largest number of restarts in a row. Unset: no limit. */
	readonly maxRestarts?: number;
	/**
	 * Number of ends in a row, with no process ever ready, after which it is given up. Unset: only `maxRestarts` counts.
	 */
	readonly maxFailedStarts?: number;
	/** Exit codes after which it isn't restarted, because the next process would end in the same way. Default: none. */
	readonly hopelessCodes?: readonly number[];
	/** Milliseconds before the first restart in a row; doubled for each further one up to `longestPauseMs`. */
	readonly firstPauseMs: number;
	readonly longestPauseMs: number;
	/** Milliseconds; a process that was ready and ran for longer restarts the count. Unset: never restarted. */
	readonly stableMs?: number;
}

export interface SupervisorOptions<P extends SupervisedProcess> {
	/** Starts a process. Rejects, and leaves no process behind, if that fails or the signal aborts. */
	readonly start: (stopping: AbortSignal) => P | Promise<P>;
	/** A running process, supervised first. Unset: `start` gives the first one. */
	readonly first?: P;
	readonly policy: RestartPolicy;
	/** Called before each restart. @param pauseMs milliseconds until the restart */
	readonly onRestart: (end: ProcessEnd, pauseMs: number) => void;
}

/** The reason why no more processes are started. */
export interface GivenUp {
	/** Number of processes that ended in a row. */
	readonly ends: number;
	readonly last: ProcessEnd;
}

/** Keeps one process running until it is stopped or ends too often. */
export class Supervisor<P extends SupervisedProcess> {
	/** Settles when no process is running any more, with the reason if it was given up. Rejects if `start` fails. */
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

	/** Stops the running or starting process and waits until it has ended. */
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
