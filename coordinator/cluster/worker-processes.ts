import { TailtuneError } from "../../shared/errors.ts";
import { Supervisor } from "../../shared/processes/supervisor.ts";
import { WorkerProcess } from "../../shared/processes/worker-process.ts";
import { LOCAL_WORKER_STOP_MS } from "../deadlines.ts";
import { RESTART_POLICY } from "./restart-policy.ts";

export interface WorkerProcessesOptions {
	readonly count: number;
	/** What follows `tailtune worker`. */
	readonly args: readonly string[];
	readonly env: NodeJS.ProcessEnv;
	/** Called for each worker that died and is started again. */
	readonly tell: (line: string) => void;
	/** Called when a worker died too often and is not started again. */
	readonly fail: (error: Error) => void;
}

/** A run's own workers, as processes on this machine; one that dies is started again. */
export class WorkerProcesses {
	readonly #supervisors: readonly Supervisor<WorkerProcess>[];

	constructor({ count, args, env, tell, fail }: WorkerProcessesOptions) {
		this.#supervisors = Array.from({ length: count }, () => {
			return new Supervisor({
				start: () => new WorkerProcess({ args, env, stopMs: LOCAL_WORKER_STOP_MS }),
				policy: RESTART_POLICY,
				onRestart: ({ how }) => tell(`a worker process died with ${how}; starting another`),
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

	/** Asks all to end and waits until they have. */
	async end(): Promise<void> {
		await Promise.all(this.#supervisors.map((supervisor) => supervisor.stop()));
	}
}
