import { Worker, type WorkerOptions } from "node:worker_threads";

/** Settings of a new thread. */
export interface ThreadOptions extends Pick<WorkerOptions, "env" | "name"> {
	/** Passed to the thread as its `workerData`. */
	readonly data: object;
}

/**
 * Starts a thread that runs a program. It does not keep the process alive unless the caller calls `ref()`.
 * @param program `new URL` of its TypeScript file and `import.meta.url`: the compiler finds programs by this form
 */
export function startThread(program: URL, { data, ...options }: ThreadOptions): Worker {
	const thread = new Worker(program, { ...options, workerData: data, execArgv: threadFlags(program) });
	thread.unref();
	return thread;
}

/** A thread's flags. They don't depend on those of the process, because loaders are registered per thread. */
function threadFlags(program: URL): string[] {
	if (program.pathname.endsWith(".ts")) return [`--import=${registerTsx()}`];
	return process.sourceMapsEnabled ? ["--enable-source-maps"] : [];
}

/** A module for tests and benchmarks, which run without compiling: it loads TypeScript by tsx in the thread. */
function registerTsx(): string {
	return `data:text/javascript,import { register } from "${import.meta.resolve("tsx/esm/api")}"; register();`;
}
