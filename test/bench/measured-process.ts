import { readFile } from "node:fs/promises";
import { execa } from "execa";

/** Resources used by a process from its start to its end. */
export interface Measured {
	readonly wallSeconds: number;
	/** User and system time of all its threads. */
	readonly cpuSeconds: number;
	/** Largest resident memory. */
	readonly peakBytes: number;
	readonly stdout: string;
}

/** A program to measure. */
export interface Command {
	readonly file: string;
	readonly args: readonly string[];
	readonly env?: Readonly<Record<string, string>>;
}

const POLL_MS = 20;
/** Clock ticks per second in /proc: the same on every Linux that Node supports. */
const TICKS = 100;

/**
 * Runs a process to its end. Peak memory and processor time are Linux's own counts, polled until the process has ended:
 * its last 20 ms may be missing. @throws Error with the last lines of standard error if the process fails
 */
export async function runMeasured({ file, args, env = {} }: Command): Promise<Measured> {
	const start = performance.now();
	const running = execa(file, [...args], { env, reject: false, stdin: "ignore" });
	let used = { cpuSeconds: 0, peakBytes: 0 };
	const timer = setInterval(async () => {
		used = (await readUse(running.pid)) ?? used;
	}, POLL_MS);
	const { exitCode, stdout, stderr, message } = await running.finally(() => clearInterval(timer));
	const wallSeconds = (performance.now() - start) / 1000;
	if (exitCode === 0) return { wallSeconds, ...used, stdout };
	const last = stderr.split("\n").slice(-5).join("\n");
	throw new Error(`${file} ${args.join(" ")}: ${exitCode === undefined ? message : `exit code ${exitCode}`}\n${last}`);
}

async function readUse(pid: number | undefined) {
	try {
		const [status, stat] = await Promise.all([
			readFile(`/proc/${pid}/status`, "utf8"),
			readFile(`/proc/${pid}/stat`, "utf8"),
		]);
		const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
		// utime and stime are fields 14 and 15. The name in brackets before them may contain any characters.
		const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
		if (peak === undefined) return undefined;
		return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS, peakBytes: Number(peak) * 1024 };
	} catch {
		return undefined; // the process has just ended
	}
}
