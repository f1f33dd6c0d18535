import { TailtuneError } from "../../shared/errors.ts";
import { Supervisor } from "../../shared/processes/supervisor.ts";
import { TailtuneProcess } from "../../shared/processes/tailtune-process.ts";
import { LOCAL_WORKER_STOP_MS } from "../deadlines.ts";
import { RESTART_POLICY } from "./restart-policy.ts";

export interface WorkerProcessesOptions {
	readonly count: number;
	/** Arguments of `tailtune worker`. */
	readonly args: readonly string[];
	readonly env: NodeJS.ProcessEnv;
	/** Called for each worker that died and is restarted. */
	readonly log: (line: string) => void;
	/** Called when a worker died too often and is not restarted. */
	readonly fail: (error: Error) => void;
}

/** Worker processes that a run starts on this machine. A worker that dies is restarted. */
export class WorkerProcesses {
	readonly #supervisors: readonly Supervisor<TailtuneProcess>[];

	constructor({ count, args, env, log, fail }: WorkerProcessesOptions) {
		this.#supervisors = Array.from({ length: count }, () => {
			return new Supervisor({
				start: () => new TailtuneProcess({ args: ["worker", ...args], env, stopMs: LOCAL_WORKER_STOP_MS }),
				policy: RESTART_POLICY,
				onRestart: ({ how }) => log(`a worker process died with ${how}; starting another`),
			});
		});
		for (const { ended } of this.#supervisors) {
			ended.then((reason) => {
				if (!reason) return;
				const message = `a worker process died ${reason.ends} times, the last time with ${reason.last.how}`;
				fail(new TailtuneError("engine", message));
			}, fail);
		}
	}

	/** Stops all workers and waits until they have ended. */
	async end(): Promise<void> {
		await Promise.all(this.#supervisors.map((supervisor) => supervisor.stop()));
	}
}
