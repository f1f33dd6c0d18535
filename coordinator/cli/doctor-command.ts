import { freemem, totalmem } from "node:os";
import type { Command } from "commander";
import { countPhysicalCores } from "../../shared/vectors/physical-cores.ts";
import type { EngineReport, ProductRates } from "../../shared/worker-port/engine-report.ts";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import { writeJsonLine } from "../terminal/write-json-line.ts";
import { describePlatform } from "./check-machine.ts";
import { showEvents } from "./show-events.ts";

/**
 * `tailtune doctor`: prints the engines, threads, memory and speed of this machine, and how to install missing engines.
 */
export function addDoctorCommand(program: Command, { inspectEngines, measureRates }: WorkerSide): void {
	program
		.command("doctor")
		.description("print the engines, threads, memory and speed of this machine, and how to install missing engines")
		.action(async (_options: object, command: Command) => {
			const { json } = command.optsWithGlobals<{ json?: boolean }>();
			const engines = await inspectEngines();
			const threads = countPhysicalCores();
			const speed = await measureRates(threads).then(
				(rates) => ({ rates }),
				// For example a full disk. Everything else is printed nevertheless.
				(error: Error) => ({ rates: [], unmeasured: error.message }),
			);
			const machine = {
				node: process.version,
				platform: `${process.platform} ${process.arch}`,
				threads,
				memoryBytes: totalmem(),
				freeMemoryBytes: freemem(),
			};
			if (json) {
				writeJsonLine({ event: "doctor", ...machine, engines, ...speed });
				return;
			}
			const events = showEvents({});
			const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
			events.line(`node      ${machine.node} on ${describePlatform()}`);
			events.line(`threads   ${machine.threads} (physical cores)`);
			events.line(`memory    ${gib(machine.memoryBytes)}, ${gib(machine.freeMemoryBytes)} free`);
			for (const line of [...engineLines(engines), ...speedLines(speed)]) events.line(line);
		});
}

function engineLines(engines: readonly EngineReport[]): string[] {
	const chosen = engines.find(({ usable }) => usable);
	return engines.map((report) => {
		const { engine, backend, usable, detail } = report;
		const note = report === chosen ? " (default)" : "";
		return `${usable ? "ok       " : "missing  "} ${`${engine} ${backend}`.padEnd(18)} ${detail}${note}`;
	});
}

interface Speed {
	readonly rates: readonly ProductRates[];
	/** Why there are no rates. */
	readonly unmeasured?: string;
}

function speedLines({ rates, unmeasured }: Speed): string[] {
	if (unmeasured !== undefined) return [`speed     can't be measured: ${unmeasured}`];
	return rates.map(({ precision, threads, productsGflops, trunkGflops }) => {
		const label = `${precision}, ${threads} ${threads === 1 ? "thread" : "threads"}`;
		const share = Math.round((100 * trunkGflops) / productsGflops);
		const [products, trunk] = [productsGflops, trunkGflops].map((rate) => `${Math.round(rate)} GFLOP/s`);
		return `speed     ${label.padEnd(18)} matrix products ${products}, whole frozen blocks ${trunk} (${share} %)`;
	});
}
