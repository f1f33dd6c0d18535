import { Worker, type WorkerOptions } from "node:worker_threads";

const START = new URL("./start.mjs", import.meta.url);

/** What a thread works with, and how it is run. */
export interface ThreadOptions extends Pick<WorkerOptions, "env" | "name"> {
	/** The thread finds it as its `workerData`. */
	readonly data: object;
}

/** Starts a thread that runs a TypeScript program. It keeps the process alive only while it is told to (`ref`). */
export function startThread(program: URL, { data, ...options }: ThreadOptions): Worker {
	const workerData = { ...data, program: program.href };
	const thread = new Worker(START, { ...options, workerData, execArgv: [] });
	thread.unref();
	return thread;
}
