import { freemem, totalmem } from "node:os";
import type { Command } from "commander";
import type { WorkerSide } from "../../shared/embedded-worker.ts";
import { countPhysicalCores } from "../../shared/physical-cores.ts";
import { createTerminal } from "../terminal/terminal.ts";

/** `tailtune doctor`: what this machine computes with, and how to get what is missing. */
export function addDoctorCommand(program: Command, { inspectEngines }: WorkerSide): void {
	program
		.command("doctor")
		.description("what engines, threads and memory this machine has, and how to get what is missing")
		.action(async (_options: object, command: Command) => {
			const { json } = command.optsWithGlobals<{ json?: boolean }>();
			const engines = await inspectEngines();
			const machine = {
				node: process.version,
				platform: `${process.platform} ${process.arch}`,
				threads: countPhysicalCores(),
				memoryBytes: totalmem(),
				freeMemoryBytes: freemem(),
			};
			if (json) {
				process.stdout.write(`${JSON.stringify({ event: "doctor", ...machine, engines })}\n`);
				return;
			}
			const terminal = createTerminal();
			const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
			terminal.line(`node      ${machine.node} on ${machine.platform}`);
			terminal.line(`threads   ${machine.threads} (physical cores)`);
			terminal.line(`memory    ${gib(machine.memoryBytes)}, ${gib(machine.freeMemoryBytes)} free`);
			for (const { engine, backend, usable, detail } of engines) {
				terminal.line(`${usable ? "ok       " : "missing  "} ${`${engine} ${backend}`.padEnd(18)} ${detail}`);
			}
		});
}
