import { Worker, type WorkerOptions } from "node:worker_threads";

/** Settings of a new thread. */
export interface ThreadOptions extends Pick<WorkerOptions, "env" | "name"> {
	/** Passed to the thread as its `workerData`. */
	readonly data: object;
}

/**
 * Starts a thread that runs a program. It does not keep the process alive unless the caller calls `ref()`.
 * @param program its TypeScript file, named in the call of `new URL` beside `import.meta.url`: so it is found when compiled
 */
export function startThread(program: URL, { data, ...options }: ThreadOptions): Worker {
	const thread = new Worker(program, { ...options, workerData: data, execArgv: threadFlags(program) });
	thread.unref();
	return thread;
}

/** A thread's own flags, whatever those of the process are: a thread doesn't take over what was registered elsewhere. */
function threadFlags(program: URL): string[] {
	if (program.pathname.endsWith(".ts")) return [`--import=${registerTsx()}`];
	return process.sourceMapsEnabled ? ["--enable-source-maps"] : [];
}

/** A program for tests and benchmarks, which compile nothing first: it has the thread run TypeScript by tsx. */
function registerTsx(): string {
	return `data:text/javascript,import { register } from "${import.meta.resolve("tsx/esm/api")}"; register();`;
}
