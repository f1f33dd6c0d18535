import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { registerCompletionHandler } from "ava";
import { execa } from "execa";
import { jsonLineSchema } from "../../coordinator/events/json-line-schemas.ts";
import { ENGINE, QUICK, start } from "../cli/tailtune.ts";
import { limitTime, RUN_LIMIT_MS, type TimeLimit, WORKER_LIMIT_MS } from "./time-limit.ts";

type Process = ReturnType<typeof start>;

/** An event of a run: one line of `--json`. */
export type RunEvent = Readonly<Record<string, unknown>>;

/** Flags of a run that takes a few seconds after its first epoch. */
export const RUN = [...QUICK, "--epochs", "4", "--shards", "4", ...ENGINE] as const;

/** Host of a process: arguments before the command that run it there, and its environment. */
export interface HostOptions {
	readonly prefix?: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
}

/** Flags of a run that lasts until a test ends it. */
export const LONG = ["--model", "demo", "--epochs", "500", "--eval-every", "1000", "--lr", "1e-4", "--threads", "1"];

/** Returns the SHA-256 of the weights of a finished run. */
export async function hashWeights(out: string): Promise<string> {
	const file = await readFile(join(out, "model", "model.safetensors"));
	return createHash("sha256").update(file).digest("hex");
}

/**
 * Starts a worker process and waits until it has joined, or until it waits for the first coordinator.
 * @param cacheFolder its own cache, so that it fetches the weights by gRPC
 */
export async function startWorkerProcess(
	nats: string,
	cacheFolder: string,
	host: HostOptions = {},
	...flags: readonly string[]
): Promise<WorkerProcess> {
	const args = ["worker", "--nats", nats, "--threads", "1", ...ENGINE, ...flags];
	const worker = startHere(args, { ...host, env: { XDG_CACHE_HOME: cacheFolder, ...host.env } });
	const limit = limitTime(worker, WORKER_LIMIT_MS);
	let id = "";
	const printed: string[] = [];
	for await (const line of linesOf(worker)) {
		printed.push(line);
		id = /^worker (\S+) (?:joined |.* no coordinator has connected yet)/.exec(line)?.[1] ?? "";
		if (id) break;
	}
	if (!id) throw new Error(`the worker did not join: ${limit.reason}${printed.join(" | ")} ${(await worker).stderr}`);
	limit.lift();
	let sent: NodeJS.Signals = "SIGCONT";
	return {
		id,
		pid: worker.pid ?? 0,
		get isRunning() {
			return sent === "SIGCONT" && worker.exitCode === null && worker.signalCode === null;
		},
		signal(name) {
			sent = name;
			worker.kill(name);
		},
		async exitCode() {
			const limit = limitTime(worker, WORKER_LIMIT_MS);
			const { exitCode, stderr } = await worker;
			if (limit.reason) throw new Error(`the worker did not end: ${limit.reason}${stderr}`);
			return exitCode;
		},
		async end() {
			// A process after SIGSTOP can be ended only by SIGKILL.
			worker.kill("SIGKILL");
			await worker;
		},
	};
}

/** A worker in a separate process. */
export interface WorkerProcess {
	/** The id with which it joined. */
	readonly id: string;
	readonly pid: number;
	/** False after it has ended, or got a signal that ends or stops it. */
	readonly isRunning: boolean;
	signal(name: "SIGKILL" | "SIGSTOP" | "SIGCONT" | "SIGTERM" | "SIGINT"): void;
	/** Waits for the end of the process. @throws Error if it doesn't end in time */
	exitCode(): Promise<number | undefined>;
	/** Kills the process if it is running, and waits for its end. */
	end(): Promise<void>;
}

/** A run in a separate process, with its events. */
export class RunProcess {
	/** Every event so far. */
	readonly seen: RunEvent[] = [];
	readonly #process: Process;
	readonly #limit: TimeLimit;
	readonly #events: AsyncIterator<RunEvent>;

	/**
	 * @param args of `tailtune train`
	 * @param limitMs after which the run is killed, so that no wait for it lasts longer
	 */
	constructor(args: readonly string[], host: HostOptions = {}, limitMs = RUN_LIMIT_MS) {
		this.#process = startHere(["--json", "train", ...args], host);
		this.#limit = limitTime(this.#process, limitMs);
		this.#events = eventsOf(this.#process);
	}

	/** Starts a run; embedded unless flags name a cluster. */
	static begin(data: string, out: string, ...flags: readonly string[]): RunProcess {
		return RunProcess.beginAt({}, data, out, flags);
	}

	/** Starts the same run on another host. */
	static beginAt(host: HostOptions, data: string, out: string, flags: readonly string[]): RunProcess {
		return new RunProcess(["--data", data, "--out", out, ...RUN, ...flags], host);
	}

	get pid(): number {
		return this.#process.pid ?? 0;
	}

	/** Waits for a matching event of the given kind. @throws Error if the run ends without one */
	async reach(event: string, isWanted: (found: RunEvent) => boolean = () => true): Promise<RunEvent> {
		for (;;) {
			const { value, done } = await this.#next();
			if (done) throw new Error(`the run ended before its ${event}: ${await this.#failure()}`);
			if (value.event === event && isWanted(value)) return value;
		}
	}

	signal(name: "SIGKILL" | "SIGSTOP" | "SIGCONT" | "SIGINT"): void {
		this.#process.kill(name);
	}

	/** Waits for the end. Returns "", or the exit code and standard error if the run failed. */
	async end(): Promise<string> {
		while (!(await this.#next()).done);
		return (await this.#process).exitCode === 0 ? "" : this.#failure();
	}

	async #failure(): Promise<string> {
		const { exitCode, stderr } = await this.#process;
		const { reason } = this.#limit;
		if (!reason) return `exit code ${exitCode}: ${stderr}`;
		return `${reason}its last events: ${this.seen.slice(-3).map((event) => JSON.stringify(event))}; ${stderr}`;
	}

	async #next(): Promise<IteratorResult<RunEvent>> {
		const next = await this.#events.next();
		if (!next.done) this.seen.push(next.value);
		return next;
	}
}

/** Lists the children of a process. @param args only those with this text in their command lines */
export async function listChildren(pid: number, args = ""): Promise<number[]> {
	const { stdout } = await execa("ps", ["-eo", "pid=,ppid=,args="]);
	const lines = stdout.split("\n").map((line) => line.trim().split(/\s+/));
	const found = lines.filter(
		([, parent, ...command]) => Number(parent) === pid && ` ${command.join(" ")} `.includes(args),
	);
	return found.map(([child]) => Number(child));
}

/** Waits until all processes have ended. @throws Error that names those that don't end in time */
export async function untilGone(pids: readonly number[]): Promise<void> {
	const lastMs = performance.now() + WORKER_LIMIT_MS;
	while (pids.some(isAlive)) {
		if (performance.now() > lastMs) throw new Error(`still running: processes ${pids.filter(isAlive)}`);
		await sleep(20);
	}
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}

/** Returns the lines that a process writes to standard output. */
export function linesOf(process: Process): AsyncIterable<string> {
	return createInterface({ input: process.stdout as Readable });
}

async function* eventsOf(process: Process): AsyncGenerator<RunEvent> {
	for await (const line of linesOf(process)) yield jsonLineSchema.parse(JSON.parse(line));
}

const started: Process[] = [];

function startHere(args: readonly string[], { prefix, env }: HostOptions): Process {
	const process = start(args, env, undefined, prefix);
	started.push(process);
	return process;
}

// Without this, a test file would wait for processes left by a failed test.
registerCompletionHandler(() => {
	for (const process of started) process.kill("SIGKILL");
});
