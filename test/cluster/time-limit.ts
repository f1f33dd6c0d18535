import type { start } from "../cli/tailtune.ts";

type Process = ReturnType<typeof start>;

/** What a process may take at most: far more than on a busy machine, and less than ava waits for a test (5 minutes). */
export const RUN_LIMIT_MS = 210_000;
/** The same for the start and for the end of a worker. */
export const WORKER_LIMIT_MS = 90_000;

/** A limit for a process. */
export interface TimeLimit {
	/** "", or that the process was killed at the limit, as the beginning of an error message. */
	readonly reason: string;
	/** From now on the process may run as long as it likes. */
	lift(): void;
}

/**
 * Kills a process that still runs after `limitMs`. So a test that waits for its output or its end fails with that
 * output; ava would end the whole file and show nothing.
 */
export function limitTime(process: Process, limitMs: number): TimeLimit {
	let reason = "";
	const timer = setTimeout(() => {
		reason = `killed because it was still running after ${limitMs / 1000} s; `;
		process.kill("SIGKILL");
	}, limitMs);
	const lift = () => clearTimeout(timer);
	void process.finally(lift);
	return {
		get reason() {
			return reason;
		},
		lift,
	};
}
