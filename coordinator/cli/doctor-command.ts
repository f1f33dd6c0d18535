import { freemem, totalmem } from "node:os";
import type { Command } from "commander";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { addConfigFlags, parseFlags } from "../../shared/settings/flags.ts";
import { resolveConfig } from "../../shared/settings/resolve-config.ts";
import { countPhysicalCores } from "../../shared/vectors/physical-cores.ts";
import type { EngineReport, ProductRates } from "../../shared/worker-port/engine-report.ts";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import { writeJsonLine } from "../terminal/write-json-line.ts";
import { describePlatform } from "./check-machine.ts";
import { showEvents } from "./show-events.ts";

interface Options extends Record<string, unknown> {
	readonly json?: boolean;
	readonly train?: string;
	readonly model?: string;
}

/** The settings that say which data are read, and how. */
const DATA_FLAGS = [
	"train",
	"validation",
	"test",
	"textColumn",
	"labelColumn",
	"encoding",
	"delimiter",
	"multiLabel",
	"model",
	"maxTokens",
	"long",
] as const satisfies (keyof TrainConfig)[];

/**
 * `tailtune doctor`: prints the engines, threads, memory and speed of this machine, and how to install missing engines.
 * `tailtune doctor DATA` prints the format, the columns and possible faults of data.
 */
export function addDoctorCommand(program: Command, { inspectEngines, measureRates }: WorkerSide): void {
	const command = program
		.command("doctor")
		.description(
			"print the engines and the speed of this machine; with data: their format, columns and possible faults",
		)
		.argument("[data]", "labelled texts to examine, without training: a file, a folder or hub:OWNER/NAME");
	addConfigFlags(command, DATA_FLAGS).action(
		async (data: string | undefined, _options: object, { optsWithGlobals }: Command) => {
			const options = optsWithGlobals.call(command) as Options;
			const isAboutData = data !== undefined || options.train !== undefined;
			await (isAboutData
				? printData(data, options, measureRates)
				: printMachine(options, inspectEngines, measureRates));
		},
	);
}

async function printData(
	data: string | undefined,
	options: Options,
	measureRates: WorkerSide["measureRates"],
): Promise<void> {
	const { describeData, inspectData } = await import("./doctor-data.ts");
	const { measureUpdate } = await import("./estimate-steps.ts");
	const config = await resolveConfig(parseFlags(options));
	const report = await inspectData(data, config, { measureRates, measureUpdate }, options.model);
	if (options.json) return writeJsonLine({ event: "data-report", ...report });
	const events = showEvents({});
	for (const line of describeData(report)) events.line(line);
}

async function printMachine(
	{ json }: Options,
	inspectEngines: WorkerSide["inspectEngines"],
	measureRates: WorkerSide["measureRates"],
): Promise<void> {
	const threads = countPhysicalCores();
	const machine = {
		node: process.version,
		platform: `${process.platform} ${process.arch}`,
		threads,
		memoryBytes: totalmem(),
		freeMemoryBytes: freemem(),
	};
	// The rest takes seconds.
	const events = json ? undefined : showEvents({});
	for (const line of machineLines(machine)) events?.line(line);
	const engines = await inspectEngines();
	const speed = await measureRates(threads).then(
		(rates) => ({ rates }),
		// For example a full disk. Everything else is printed nevertheless.
		(error: Error) => ({ rates: [], unmeasured: error.message }),
	);
	if (json) return writeJsonLine({ event: "doctor", ...machine, engines, ...speed });
	for (const line of [...engineLines(engines), ...speedLines(speed)]) events?.line(line);
}

interface Machine {
	readonly node: string;
	readonly threads: number;
	readonly memoryBytes: number;
	readonly freeMemoryBytes: number;
}

function machineLines({ node, threads, memoryBytes, freeMemoryBytes }: Machine): string[] {
	const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
	return [
		`node      ${node} on ${describePlatform()}`,
		`threads   ${threads} (physical cores)`,
		`memory    ${gib(memoryBytes)}, ${gib(freeMemoryBytes)} free`,
	];
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
