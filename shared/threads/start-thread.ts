import { Worker, type WorkerOptions } from "node:worker_threads";

const START = new URL("./start.mjs", import.meta.url);

/** Settings of a new thread. */
export interface ThreadOptions extends Pick<WorkerOptions, "env" | "name"> {
	/** Passed to the thread as its `workerData`. */
	readonly data: object;
}

/** Starts a thread that runs a TypeScript program. It does not keep the process alive unless the caller calls `ref()`. */
export function startThread(program: URL, { data, ...options }: ThreadOptions): Worker {
	const workerData = { ...data, program: program.href };
	const thread = new Worker(START, { ...options, workerData, execArgv: [] });
	thread.unref();
	return thread;
}
