import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { QUICK, start } from "../cli/tailtune.ts";

type Process = ReturnType<typeof start>;

/** Flags of a run over the cluster that goes on for a few seconds after its first epoch. */
const RUN = [...QUICK, "--epochs", "4", "--shards", "4"] as const;

/** Where a process runs: a command that takes it there, and the environment that it finds. */
export interface Place {
	readonly via?: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
}

/** Starts a real worker and waits until it has joined. Its model cache is its own: it gets the weights by gRPC. */
export async function startWorkerProcess(
	nats: string,
	cacheFolder: string,
	{ via, env }: Place = {},
): Promise<WorkerProcess> {
	const args = ["worker", "--nats", nats, "--threads", "1"];
	const worker = start(args, { ...env, XDG_CACHE_HOME: cacheFolder }, undefined, via);
	for await (const line of linesOf(worker)) if (line.includes(" joined ")) break;
	return {
		signal: (name) => worker.kill(name),
		async end() {
			// A stopped process dies of nothing but SIGKILL.
			worker.kill("SIGKILL");
			await worker;
		},
	};
}

/** A worker in a process of its own. */
export interface WorkerProcess {
	signal(name: "SIGKILL" | "SIGSTOP"): void;
	/** Kills it, if it lives, and waits for its end. */
	end(): Promise<void>;
}

/** A run in a process of its own, followed by its events. */
export class RunProcess {
	readonly #process: Process;
	readonly #events: AsyncIterator<Record<string, unknown>>;

	constructor(args: readonly string[], { via, env }: Place = {}) {
		this.#process = start(["--json", "train", ...args], env, undefined, via);
		this.#events = eventsOf(this.#process);
	}

	/** Starts a run; embedded where no server is given. */
	static begin(data: string, out: string, nats?: string): RunProcess {
		return RunProcess.beginAt({}, data, out, nats === undefined ? [] : ["--nats", nats]);
	}

	/** Starts the same run elsewhere, with these flags more. */
	static beginAt(place: Place, data: string, out: string, flags: readonly string[]): RunProcess {
		return new RunProcess(["--data", data, "--out", out, ...RUN, ...flags], place);
	}

	/** Waits for an event of that kind. Throws where the run ends without one. */
	async reach(event: string): Promise<void> {
		for (;;) {
			const { value, done } = await this.#events.next();
			if (done) throw new Error(`the run ended before its ${event}: ${(await this.#process).stderr}`);
			if (value.event === event) return;
		}
	}

	kill(): void {
		this.#process.kill("SIGKILL");
	}

	/** Waits for the end; what it wrote to stderr where it failed. */
	async end(): Promise<string> {
		while (!(await this.#events.next()).done);
		const { exitCode, stderr } = await this.#process;
		return exitCode === 0 ? "" : `exit code ${exitCode}: ${stderr}`;
	}
}

/** sha256 of the weights that a run left. */
export async function weightsHash(out: string): Promise<string> {
	const file = await readFile(join(out, "model", "model.safetensors"));
	return createHash("sha256").update(file).digest("hex");
}

function linesOf(process: Process): AsyncIterable<string> {
	return createInterface({ input: process.stdout as Readable });
}

async function* eventsOf(process: Process): AsyncGenerator<Record<string, unknown>> {
	for await (const line of linesOf(process)) yield JSON.parse(line);
}
