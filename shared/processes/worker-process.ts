import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { stopChild } from "./stop-child.ts";
import type { ProcessEnd, SupervisedProcess } from "./supervisor.ts";

const COMMAND = fileURLToPath(new URL("../../tailtune.mjs", import.meta.url));

/** What a worker sends to the process that started it, when it has joined. */
const JOINED = "joined";

export interface WorkerProcessOptions {
	/** What follows `tailtune worker`. */
	readonly args: readonly string[];
	readonly env: NodeJS.ProcessEnv;
	/** Milliseconds that it has to finish its item after it was asked to end; then it is killed. */
	readonly stopMs: number;
	/** Called with each line that it writes. Default: nothing is done with them. */
	readonly onLine?: (line: string, stream: "stdout" | "stderr") => void;
}

/** `tailtune worker` as a process on this machine. It ends with this process, even if that is killed. */
export class WorkerProcess implements SupervisedProcess {
	readonly ended: Promise<ProcessEnd>;
	readonly #child: ChildProcess;
	readonly #stopMs: number;
	#hasJoined = false;
	#lastLine = "";

	constructor({ args, env, stopMs, onLine = () => {} }: WorkerProcessOptions) {
		this.#stopMs = stopMs;
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
				resolve({ how, code, wasReady: this.#hasJoined });
			});
		});
	}

	async stop(): Promise<void> {
		await stopChild(this.#child, this.#stopMs);
		await this.ended;
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
