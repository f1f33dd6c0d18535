import type { EventEmitter } from "node:events";
import { run } from "../../tailtune.ts";

/** Output and exit code of a command. */
export interface Ended {
	readonly exitCode: number;
	readonly stdout: string;
	readonly stderr: string;
}

/** Events for which a command adds listeners until its process ends. */
const EVENTS: readonly [emitter: EventEmitter, event: string][] = [
	[process, "uncaughtException"],
	[process, "SIGINT"],
	[process, "SIGTERM"],
	[process.stdout, "error"],
	[process.stderr, "error"],
];

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs a command to its end in this process, in a tenth of the time of a new process. It changes the working folder,
 * the environment and the output of this process, so commands run one at a time, and nothing else may print or change
 * the folder meanwhile. The last line end of the output is left out, as in execa.
 */
export function callTailtune(
	args: readonly string[],
	env: Readonly<Record<string, string>>,
	cwd: string,
): Promise<Ended> {
	const call = last.then(() => callAlone(args, env, cwd));
	last = call.catch(() => {});
	return call;
}

async function callAlone(args: readonly string[], env: Readonly<Record<string, string>>, cwd: string): Promise<Ended> {
	const restore = [changeFolder(cwd), changeEnvironment(env), watchListeners()];
	const [stdout, stderr] = [new Captured(process.stdout), new Captured(process.stderr)];
	const warn = (warning: Error) => process.stderr.write(`(node) ${warning}\n`);
	process.on("warning", warn);
	try {
		process.exitCode = 0;
		await run(args);
		return { exitCode: Number(process.exitCode), stdout: stdout.text, stderr: stderr.text };
	} finally {
		process.exitCode = 0;
		process.off("warning", warn);
		for (const output of [stdout, stderr]) output.end();
		for (const undo of restore) undo();
	}
}

/** Captures the output to a stream. */
class Captured {
	readonly #stream: NodeJS.WriteStream;
	readonly #write: NodeJS.WriteStream["write"];
	readonly #chunks: Buffer[] = [];

	constructor(stream: NodeJS.WriteStream) {
		this.#stream = stream;
		this.#write = stream.write;
		stream.write = (chunk: string | Uint8Array) => {
			this.#chunks.push(Buffer.from(chunk));
			return true;
		};
	}

	get text(): string {
		return Buffer.concat(this.#chunks).toString().replace(/\n$/, "");
	}

	end(): void {
		this.#stream.write = this.#write;
	}
}

/** Changes the working folder. @returns a function that restores it */
function changeFolder(cwd: string): () => void {
	const before = process.cwd();
	process.chdir(cwd);
	return () => process.chdir(before);
}

/** Sets environment variables. @returns a function that restores them */
function changeEnvironment(env: Readonly<Record<string, string>>): () => void {
	const before = { ...process.env };
	Object.assign(process.env, env);
	return () => {
		for (const name of Object.keys(env)) {
			if (before[name] === undefined) delete process.env[name];
			else process.env[name] = before[name];
		}
	};
}

/** @returns a function that removes all listeners added to EVENTS since */
function watchListeners(): () => void {
	const before = EVENTS.map(([emitter, event]) => emitter.listeners(event));
	return () => {
		for (const [at, [emitter, event]] of EVENTS.entries()) {
			const added = emitter.listeners(event).filter((listener) => !before[at]?.includes(listener));
			for (const listener of added) emitter.removeListener(event, listener as () => void);
		}
	};
}
