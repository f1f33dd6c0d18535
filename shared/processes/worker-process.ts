import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

const COMMAND = fileURLToPath(new URL("../../tailtune.mjs", import.meta.url));

/** What a worker sends to the process that started it, when it has joined. */
const JOINED = "joined";

export interface WorkerProcessOptions {
	/** What follows `tailtune worker`. */
	readonly args: readonly string[];
	readonly env: NodeJS.ProcessEnv;
	/** Told of each line that it writes. */
	readonly onLine?: (line: string, stream: "stdout" | "stderr") => void;
}

/** How a worker process ended. */
export interface WorkerEnd {
	/** As in "SIGKILL", or "code 1: " and the last line of its stderr. */
	readonly how: string;
	/** Null where a signal ended it. */
	readonly code: number | null;
	readonly hasJoined: boolean;
}

/** `tailtune worker` as a process on this machine. It ends with this one, even where that is killed. */
export class WorkerProcess {
	readonly ended: Promise<WorkerEnd>;
	readonly #child: ChildProcess;
	#hasJoined = false;
	#lastLine = "";

	constructor({ args, env, onLine = () => {} }: WorkerProcessOptions) {
		// The channel breaks when we die, and the worker with it. In a group of its own, Ctrl-C reaches only us.
		const stdio = ["ignore", "pipe", "pipe", "ipc"] as const;
		const child = spawn(process.execPath, [COMMAND, "worker", ...args], { env, stdio: [...stdio], detached: true });
		this.#child = child;
		for (const stream of ["stdout", "stderr"] as const) {
			createInterface({ input: child[stream] as Readable }).on("line", (line) => {
				if (stream === "stderr") this.#lastLine = line;
				onLine(line, stream);
			});
		}
		child.on("message", (message) => {
			this.#hasJoined ||= message === JOINED;
		});
		child.once("error", ({ message }) => {
			this.#lastLine = message;
		});
		this.ended = new Promise((resolve) => {
			child.once("close", (code, signal) => {
				const how = `${signal ?? `code ${code}`}${this.#lastLine && `: ${this.#lastLine}`}`;
				resolve({ how, code, hasJoined: this.#hasJoined });
			});
		});
	}

	/** Asks it to end and waits until it has. @param limitMs after so long it is killed; default: never */
	async end(limitMs?: number): Promise<void> {
		this.#child.kill("SIGTERM");
		const timer = limitMs === undefined ? undefined : setTimeout(() => this.#child.kill("SIGKILL"), limitMs);
		await this.ended;
		clearTimeout(timer);
	}
}

/** The worker's side: tells the process that started this one as a `WorkerProcess`, if any did, that it has joined. */
export function tellJoined(): void {
	process.send?.(JOINED);
}

/** The worker's side: ends with the process that started this one as a `WorkerProcess`, even where that is killed. */
export function endWithParent(): void {
	if (!process.connected) return;
	// Not by an exit: a thread that computes has nobody left to compute for, and ONNX Runtime aborts where one is ended.
	process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
	process.channel?.unref(); // a worker that failed must not live for the channel alone
}
