import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { stopChild } from "./stop-child.ts";
import type { ProcessEnd, SupervisedProcess } from "./supervisor.ts";

const COMMAND = fileURLToPath(new URL("../../tailtune.mjs", import.meta.url));

/** Message of a worker to its parent process after joining. */
const JOINED = "joined";

export interface TailtuneProcessOptions {
	/** The command and its arguments. */
	readonly args: readonly string[];
	readonly env: NodeJS.ProcessEnv;
	/** Milliseconds between SIGTERM and SIGKILL, in which it can finish its work. */
	readonly stopMs: number;
	/** Called with each line that it writes. Unset: lines are ignored. */
	readonly onLine?: (line: string, stream: "stdout" | "stderr") => void;
	/** Called with each message that it sends to its parent. */
	readonly onMessage?: (message: unknown) => void;
}

/** A command as a process on this machine. It ends with this process, even if this one is killed. */
export class TailtuneProcess implements SupervisedProcess {
	readonly ended: Promise<ProcessEnd>;
	readonly #child: ChildProcess;
	readonly #stopMs: number;
	#hasJoined = false;
	#lastLine = "";

	constructor({ args, env, stopMs, onLine = () => {}, onMessage = () => {} }: TailtuneProcessOptions) {
		this.#stopMs = stopMs;
		// It ends when the channel breaks because this process ended. In a separate group it doesn't get Ctrl-C.
		const stdio = ["ignore", "pipe", "pipe", "ipc"] as const;
		const child = spawn(process.execPath, [COMMAND, ...args], {
			env,
			stdio: [...stdio],
			detached: true,
			serialization: "advanced",
		});
		this.#child = child;
		for (const stream of ["stdout", "stderr"] as const) {
			createInterface({ input: child[stream] as Readable }).on("line", (line) => {
				if (stream === "stderr") this.#lastLine = line;
				onLine(line, stream);
			});
		}
		child.on("message", (message) => {
			this.#hasJoined ||= message === JOINED;
			onMessage(message);
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

	/** Sends it a message. If it has ended, nothing happens. */
	send(message: object): void {
		if (this.#child.connected) this.#child.send(message, () => {});
	}

	/** Asks it to end its work cleanly, by SIGTERM. */
	interrupt(): void {
		this.#child.kill("SIGTERM");
	}

	async stop(): Promise<void> {
		await stopChild(this.#child, this.#stopMs);
		await this.ended;
	}
}

/** Reports to the parent that this worker has joined. Does nothing if no `TailtuneProcess` started this process. */
export function reportJoined(): void {
	process.send?.(JOINED);
}

/** Ends this process when its parent ends or is killed. Does nothing if no `TailtuneProcess` started this process. */
export function endWithParent(): void {
	if (!process.connected) return;
	// No exit: it ends threads first, and ONNX Runtime aborts if its thread is ended while it computes.
	process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
	process.channel?.unref(); // the channel alone must not keep a failed worker running
}
