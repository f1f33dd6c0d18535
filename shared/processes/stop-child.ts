import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** Sends SIGTERM to a process, kills it after the time limit, and waits until it has ended. */
export async function stopChild(child: ChildProcess, limitMs: number): Promise<void> {
	if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
	const exited = once(child, "exit");
	child.kill("SIGTERM");
	const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
	await exited;
	clearTimeout(timer);
}
