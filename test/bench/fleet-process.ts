import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const LOADER = new URL("../load-typescript.mjs", import.meta.url).href;
/** Longest time for an answer: 32 workers that share two cores need minutes for a few steps. */
const ANSWER_MS = 300_000;
/** Clock ticks per second in /proc/stat: the same on every Linux that Node supports. */
const TICKS = 100;

interface Reply<Value> {
	readonly value: Value;
	readonly error?: string;
}

/** A process that answers requests of this one, one at a time. It ends with this process. */
export class FleetProcess {
	readonly #child: ChildProcess;

	/** @param file of this folder, which calls `answerRequests` */
	constructor(file: string) {
		const path = fileURLToPath(new URL(file, import.meta.url));
		this.#child = fork(path, { execArgv: [`--import=${LOADER}`], stdio: ["ignore", "ignore", "inherit", "ipc"] });
	}

	get pid(): number {
		return this.#child.pid as number;
	}

	/** Sends a request and waits for its answer. @throws Error if it fails, or if the process has ended */
	async ask<Value = unknown>(request: object): Promise<Value> {
		const done = new AbortController();
		const signal = AbortSignal.any([done.signal, AbortSignal.timeout(ANSWER_MS)]);
		const ended = once(this.#child, "exit", { signal }).then(([code, by]) => {
			throw new Error(`a process of the fleet ended with ${by ?? `code ${code}`}`);
		});
		const answered = once(this.#child, "message", { signal }).then(([reply]) => reply as Reply<Value>);
		try {
			this.#child.send(request);
			const { value, error } = await Promise.race([answered, ended]);
			if (error !== undefined) throw new Error(error);
			return value;
		} finally {
			done.abort();
			await Promise.allSettled([answered, ended]);
		}
	}

	async kill(): Promise<void> {
		if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
		const ended = once(this.#child, "exit");
		this.#child.kill("SIGKILL");
		await ended;
	}
}

/** Answers the requests of the process that started this one, and ends when that process ends. */
export function answerRequests<Request>(answer: (request: Request) => Promise<unknown>): void {
	process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
	process.on("message", (request: Request) => {
		answer(request).then(
			(value) => process.send?.({ value }),
			(error: Error) => process.send?.({ error: error.stack }),
		);
	});
}

/** Processor time of a process so far, in milliseconds. */
export interface ProcessorTime {
	/** Of all threads. */
	readonly all: number;
	/** Of the first thread, which runs JavaScript in Node. */
	readonly first: number;
}

/** Reads the processor time of a process; threads that have ended don't count. */
export async function readProcessorTime(pid: number): Promise<ProcessorTime> {
	const threads = await readdir(`/proc/${pid}/task`);
	const timeOf = async (thread: string | number) => {
		const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8").catch(() => "0");
		return Number.parseInt(text, 10) / 1e6;
	};
	const times = await Promise.all(threads.map(timeOf));
	return { all: times.reduce((sum, ms) => sum + ms, 0), first: await timeOf(pid) };
}

/** Reads the processor time that the machine has spent so far on all processes, in milliseconds. */
export async function readBusyMs(): Promise<number> {
	const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (await readFile("/proc/stat", "utf8"))
		.split(/\s+/, 8)
		.map(Number);
	return ((user + nice + system + irq + softirq) * 1000) / TICKS;
}

/** Finds the process of this name that was started with this argument. @throws Error if there is none */
export async function findProcess(name: string, argument: string): Promise<number> {
	for (const pid of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
		const [comm, line] = await Promise.all(
			["comm", "cmdline"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
		);
		if (comm?.trim() === name && line?.split("\0").includes(argument)) return Number(pid);
	}
	throw new Error(`found no process ${name} with ${argument}`);
}
