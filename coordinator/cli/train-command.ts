import type { Command } from "commander";
import { TailtuneError } from "../../shared/errors.ts";
import { createInterruptSignal } from "../../shared/processes/interrupt.ts";
import { addConfigFlags, parseFlags } from "../../shared/settings/flags.ts";
import { createAddressCheck, isLoopback } from "../../shared/settings/host-port.ts";
import { resolveConfig } from "../../shared/settings/resolve-config.ts";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import type { Dashboard } from "../dashboard/open-dashboard.ts";
import type { RunEvents } from "../events/run-events.ts";
import type { TrainOptions } from "../training/train-options.ts";
import { addWorkerFlags, chooseWorkers, type WorkerFlags } from "./choose-workers.ts";
import { showEvents } from "./show-events.ts";
import { addTrackerFlags, runTracked, type TrackerFlags } from "./tracker-flags.ts";

interface Options extends Record<string, unknown>, WorkerFlags, TrackerFlags {
	readonly config?: string;
	readonly resume?: string;
	readonly serve?: string | true;
	readonly dashboard?: string | true;
	readonly json?: boolean;
}

/** `tailtune train`: starts a run, or resumes one. */
export function addTrainCommand(program: Command, workerSide: WorkerSide): void {
	const command = program
		.command("train")
		.description("tune a model on labelled texts and write a result folder")
		.option("--config <file>", "YAML file with settings; keys are the flags in camelCase")
		.option("--resume <run>", "continue the interrupted run in this folder")
		.option(
			"--serve [host:port]",
			"also serve the best model so far over gRPC, to programs on this machine (default: 127.0.0.1:50051)",
			createAddressCheck("--serve"),
		)
		.option(
			"--dashboard [host:port]",
			"also show the run in a browser, and print the address (default: 127.0.0.1:7007, or the next free port)",
			createAddressCheck("--dashboard"),
		);
	addConfigFlags(addWorkerFlags(addTrackerFlags(command)).optionsGroup("Settings of the run:")).action(
		async (_, { optsWithGlobals }: Command) => {
			const options: Options = optsWithGlobals.call(command);
			const events = showEvents(options);
			const ended = createInterruptSignal();
			const dashboard = await startDashboard(options, events, workerSide);
			const interrupt = dashboard ? AbortSignal.any([ended, dashboard.cancelled]) : ended;
			try {
				await runTracked(options, events, () => run(options, { events, interrupt }, workerSide));
				if (dashboard?.hasViewers)
					events.line("the dashboard stays open until its last page is closed, for at most an hour, or until Ctrl-C");
				await dashboard?.waitForViewers(ended);
			} catch (error) {
				dashboard?.showFailure(error);
				throw error;
			} finally {
				await dashboard?.close();
			}
		},
	);
}

async function startDashboard(
	{ dashboard, workers }: Options,
	events: RunEvents,
	workerSide: WorkerSide,
): Promise<Dashboard | undefined> {
	if (dashboard === undefined) return undefined;
	const [{ openDashboard }, { readPageOptions }] = await Promise.all([
		import("../dashboard/open-dashboard.ts"),
		import("./read-page-options.ts"),
	]);
	const place = dashboard === true ? undefined : { address: dashboard, flag: "--dashboard" };
	const page = await readPageOptions(place, workerSide);
	const opened = await openDashboard(events, { ...page, hasLocalWorkers: workers !== undefined });
	events.line(`dashboard: ${opened.url}`);
	return opened;
}

async function run(
	options: Options,
	{ events, interrupt }: Pick<TrainOptions, "events" | "interrupt">,
	workerSide: WorkerSide,
): Promise<void> {
	// If there is a page, in a separate thread, so that it is answered while the engine computes.
	const engineIn = options.dashboard === undefined ? "main-thread" : "thread";
	const address = options.serve === true ? "127.0.0.1:50051" : options.serve;
	assertOnlyHere(address);
	const workers = await chooseWorkers(options, workerSide, events, interrupt, engineIn);
	const startServer =
		address === undefined ? undefined : (await import("../training/run-server.ts")).createServerStarter(address);
	const environment = { events, interrupt, ...workers, startServer };
	await (options.resume === undefined
		? startNew(options, environment)
		: resumeRun(options.resume, options, environment));
}

/** The server of `--serve` has neither a token nor TLS. */
function assertOnlyHere(address: string | undefined): void {
	if (address === undefined || isLoopback(address)) return;
	const expected = "expected an address of this machine only, for example 127.0.0.1:50051";
	throw new TailtuneError("usage", `--serve ${address}: ${expected}; tailtune serve can also have a token and TLS`);
}

async function startNew(options: Options, environment: TrainOptions): Promise<void> {
	const config = await resolveConfig(parseFlags(options), options.config);
	const { train } = await import("../training/train.ts");
	const { folder, result } = await train(config, environment);
	environment.events.emit({ event: "result", folder, ...result });
}

async function resumeRun(run: string, options: Options, environment: TrainOptions): Promise<void> {
	const [extra] = Object.keys(parseFlags(options));
	if (extra !== undefined || options.config !== undefined) {
		throw new TailtuneError(
			"usage",
			`--resume: can't be combined with --${extra ?? "config"}; a resumed run keeps its settings`,
		);
	}
	const { resume } = await import("../training/train.ts");
	const { folder, result } = await resume(run, environment);
	environment.events.emit({ event: "result", folder, ...result });
}
