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

type Process = ReturnType<typeof start>;

/** What a run tells, a line of `--json`. */
export type RunEvent = Readonly<Record<string, unknown>>;

/** Flags of a run over the cluster that goes on for a few seconds after its first epoch. */
const RUN = [...QUICK, "--epochs", "4", "--shards", "4", ...ENGINE] as const;

/** Where a process runs: a command that takes it there, and the environment that it finds. */
export interface Place {
	readonly via?: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
}

/** Flags of a run that is not over before it is ended. */
export const LONG = ["--model", "demo", "--epochs", "500", "--eval-every", "1000", "--lr", "1e-4", "--threads", "1"];

/** sha256 of the weights that a run left. */
export async function weightsHash(out: string): Promise<string> {
	const file = await readFile(join(out, "model", "model.safetensors"));
	return createHash("sha256").update(file).digest("hex");
}

/** Starts a real worker and waits until it has joined, or waits for the first coordinator. Its model cache is its own: it gets the weights by gRPC. */
export async function startWorkerProcess(
	nats: string,
	cacheFolder: string,
	place: Place = {},
	...flags: readonly string[]
): Promise<WorkerProcess> {
	const args = ["worker", "--nats", nats, "--threads", "1", ...ENGINE, ...flags];
	const worker = startHere(args, { ...place, env: { XDG_CACHE_HOME: cacheFolder, ...place.env } });
	let id = "";
	for await (const line of linesOf(worker)) {
		id = /^worker (\S+) (?:joined |.* no coordinator has been here yet)/.exec(line)?.[1] ?? "";
		if (id) break;
	}
	if (!id) throw new Error(`the worker did not join: ${(await worker).stderr}`);
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
		exitCode: async () => (await worker).exitCode,
		async end() {
			// A stopped process dies of nothing but SIGKILL.
			worker.kill("SIGKILL");
			await worker;
		},
	};
}

/** A worker in a process of its own. */
export interface WorkerProcess {
	/** As it joined. */
	readonly id: string;
	readonly pid: number;
	/** False once it has ended, or was sent a signal that ends or stops it. */
	readonly isRunning: boolean;
	signal(name: "SIGKILL" | "SIGSTOP" | "SIGCONT" | "SIGTERM" | "SIGINT"): void;
	/** Waits for its end. */
	exitCode(): Promise<number | undefined>;
	/** Kills it, if it lives, and waits for its end. */
	end(): Promise<void>;
}

/** A run in a process of its own, followed by its events. */
export class RunProcess {
	/** Every event so far. */
	readonly seen: RunEvent[] = [];
	readonly #process: Process;
	readonly #events: AsyncIterator<RunEvent>;

	/** @param args what follows `tailtune train` */
	constructor(args: readonly string[], place: Place = {}) {
		this.#process = startHere(["--json", "train", ...args], place);
		this.#events = eventsOf(this.#process);
	}

	/** Starts a run; embedded where no flag says otherwise. */
	static begin(data: string, out: string, ...flags: readonly string[]): RunProcess {
		return RunProcess.beginAt({}, data, out, flags);
	}

	/** Starts the same run elsewhere. */
	static beginAt(place: Place, data: string, out: string, flags: readonly string[]): RunProcess {
		return new RunProcess(["--data", data, "--out", out, ...RUN, ...flags], place);
	}

	get pid(): number {
		return this.#process.pid ?? 0;
	}

	/** Waits for an event of that kind, and such a one. Throws where the run ends without. */
	async reach(event: string, isWanted: (found: RunEvent) => boolean = () => true): Promise<RunEvent> {
		for (;;) {
			const { value, done } = await this.#next();
			if (done) throw new Error(`the run ended before its ${event}: ${(await this.#process).stderr}`);
			if (value.event === event && isWanted(value)) return value;
		}
	}

	signal(name: "SIGKILL" | "SIGINT"): void {
		this.#process.kill(name);
	}

	/** Waits for the end; what it wrote to stderr where it failed. */
	async end(): Promise<string> {
		while (!(await this.#next()).done);
		const { exitCode, stderr } = await this.#process;
		return exitCode === 0 ? "" : `exit code ${exitCode}: ${stderr}`;
	}

	async #next(): Promise<IteratorResult<RunEvent>> {
		const next = await this.#events.next();
		if (!next.done) this.seen.push(next.value);
		return next;
	}
}

/** A process's children, or those with that on their command lines. */
export async function childrenOf(pid: number, args = ""): Promise<number[]> {
	const { stdout } = await execa("ps", ["-eo", "pid=,ppid=,args="]);
	const lines = stdout.split("\n").map((line) => line.trim().split(/\s+/));
	const found = lines.filter(
		([, parent, ...command]) => Number(parent) === pid && ` ${command.join(" ")} `.includes(args),
	);
	return found.map(([child]) => Number(child));
}

/** Waits until none of the processes lives. */
export async function untilGone(pids: readonly number[]): Promise<void> {
	while (pids.some(isAlive)) await sleep(20);
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}

/** The lines that a process writes to stdout. */
export function linesOf(process: Process): AsyncIterable<string> {
	return createInterface({ input: process.stdout as Readable });
}

async function* eventsOf(process: Process): AsyncGenerator<RunEvent> {
	for await (const line of linesOf(process)) yield jsonLineSchema.parse(JSON.parse(line));
}

const started: Process[] = [];

function startHere(args: readonly string[], { via, env }: Place): Process {
	const process = start(args, env, undefined, via);
	started.push(process);
	return process;
}

// What a test that fails in the middle leaves running, its file would wait for.
registerCompletionHandler(() => {
	for (const process of started) process.kill("SIGKILL");
});
