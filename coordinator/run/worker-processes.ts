import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { TailtuneError } from "../../shared/errors.ts";

const COMMAND = fileURLToPath(new URL("../../tailtune.mjs", import.meta.url));

/** So many of a run's worker processes may die, for each that there should be, before the run gives up. */
const DEATHS_EACH = 3;

/** A worker that was asked to end has so long for the item in hand. */
const FAREWELL_MS = 5000;

export interface WorkerProcessOptions {
	readonly count: number;
	/** What follows `tailtune worker`. */
	readonly args: readonly string[];
	readonly env: NodeJS.ProcessEnv;
	/** Told of a worker that died and is started again. */
	readonly tell: (line: string) => void;
	/** Told when too many have died; no more are started then. */
	readonly fail: (error: Error) => void;
}

/** Workers as processes on this machine. They end with this one, even where it is killed. */
export class WorkerProcesses {
	readonly #options: WorkerProcessOptions;
	readonly #running = new Set<ChildProcess>();
	#deaths = 0;
	#isEnding = false;

	constructor(options: WorkerProcessOptions) {
		this.#options = options;
		for (let i = 0; i < options.count; i++) this.#start();
	}

	/** Asks all to end and waits until they have. */
	async end(): Promise<void> {
		this.#isEnding = true;
		await Promise.all([...this.#running].map(endProcess));
	}

	#start(): void {
		const { args, env } = this.#options;
		// The channel breaks when we die, and the worker with it. In a group of its own, Ctrl-C reaches only us.
		const stdio = ["ignore", "ignore", "pipe", "ipc"] as const;
		const child = spawn(process.execPath, [COMMAND, "worker", ...args], { env, stdio: [...stdio], detached: true });
		this.#running.add(child);
		let lastLine = "";
		createInterface({ input: child.stderr as NodeJS.ReadableStream }).on("line", (line) => {
			lastLine = line;
		});
		child.once("close", (code, signal) =>
			this.#ended(child, `${signal ?? `code ${code}`}${lastLine && `: ${lastLine}`}`),
		);
	}

	#ended(child: ChildProcess, how: string): void {
		this.#running.delete(child);
		if (this.#isEnding) return;
		this.#deaths++;
		const { count, tell, fail } = this.#options;
		if (this.#deaths > count * DEATHS_EACH) {
			this.#isEnding = true;
			fail(new TailtuneError("engine", `${this.#deaths} worker processes died, the last one with ${how}`));
		} else {
			tell(`a worker process died with ${how}; starting another`);
			this.#start();
		}
	}
}

async function endProcess(child: ChildProcess): Promise<void> {
	const closed = once(child, "close");
	child.kill("SIGTERM");
	const timer = setTimeout(() => child.kill("SIGKILL"), FAREWELL_MS);
	await closed;
	clearTimeout(timer);
}
