import { type Command, Option } from "commander";
import { TailtuneError } from "../../shared/errors.ts";
import { createInterruptSignal } from "../../shared/processes/interrupt.ts";
import { addConfigFlags, parseFlags } from "../../shared/settings/flags.ts";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import { RunEvents } from "../events/run-events.ts";
import { createTerminal } from "../terminal/create-terminal.ts";
import { summarizeTrials } from "../terminal/sweep-terminal.ts";
import { addWorkerFlags, chooseWorkers } from "./choose-workers.ts";
import { addTrackerFlags, openTrackers } from "./tracker-flags.ts";
import { createTrialRunner, readAtOnce, serveTrialsOf, type TrialFlags } from "./trial-runner.ts";

interface Options extends Record<string, unknown>, TrialFlags {
	readonly config?: string;
	readonly resume?: string;
	readonly seeds?: string;
	readonly folds?: string;
	readonly samples?: string;
	readonly halving?: string | true;
	readonly json?: boolean;
	readonly serveTrials?: boolean;
}

/** `tailtune sweep`: trains one run for each combination of settings, and ranks the settings. */
export function addSweepCommand(program: Command, workerSide: WorkerSide): void {
	const command = program
		.command("sweep")
		.description(
			"train one run for each combination of settings and seeds, and rank the settings by validation; --preset book-experiments: the experiments of the book",
		)
		.option(
			"--config <file>",
			"YAML file with settings, as of train; a list is several values; also seeds, folds, samples and halving",
		)
		.option("--seeds <n>", "try each setting with N seeds, from --seed up (default: 1)")
		.option("--folds <n>", "cross-validation: each of N equal parts of the texts is the test set of one run")
		.option("--samples <n>", "try N of the combinations, chosen at random by --seed (default: all)")
		.option(
			"--halving [n]",
			"successive halving: train all settings for a few epochs, continue the best 1/N of them, and so on; only the last ones are trained for all --epochs (default of N: 2)",
		)
		.option(
			"--at-once <n>",
			"train N trials at once, each in a process of its own (default: as many as there are cores and memory for; 1 with --workers, --nats or a GPU)",
		)
		.option("--resume <sweep>", "continue the interrupted sweep in this folder; the same command does this too")
		.addOption(new Option("--serve-trials").hideHelp());
	addConfigFlags(
		addWorkerFlags(addTrackerFlags(command)).optionsGroup(
			"Settings of the runs; commas separate values to try (--lr 1e-5,5e-5):",
		),
	).action(async (_, { optsWithGlobals }: Command) => run(optsWithGlobals.call(command), workerSide));
	const preset = command.options.find(({ long }) => long === "--preset");
	if (preset) preset.description += "; book-experiments: the experiments of the book";
}

async function run(options: Options, workerSide: WorkerSide): Promise<void> {
	if (options.serveTrials) return serveTrialsOf(options, workerSide);
	const events = new RunEvents();
	const terminal = createTerminal({ json: options.json });
	events.listen(options.json ? terminal : summarizeTrials(terminal));
	const interrupt = createInterruptSignal();
	const workers = await chooseWorkers(options, workerSide, events, interrupt);
	const atOnce = readAtOnce(options);
	await openTrackers(options, interrupt); // only to refuse wrong flags
	const folder = await openFolder(options);
	const { runSweep } = await import("../sweep/run-sweep.ts");
	const { path, state } = folder;
	try {
		const runner = await createTrialRunner(options, atOnce, state, workers);
		events.line(`sweep of ${state.trials.length} trials in ${path}`);
		const { runTrial } = runner;
		const result = await runSweep(folder, { events, interrupt, runTrial }).finally(() => runner.close());
		events.emit({ event: "sweep", folder: path, ...result });
	} finally {
		await folder.close();
	}
}

async function openFolder(options: Options) {
	const { openSweepFolder, reopenSweepFolder } = await import("../sweep/sweep-folder.ts");
	if (options.resume === undefined) {
		const { readSweepDefinition } = await import("../sweep/sweep-definition.ts");
		const { definition, out } = await readSweepDefinition(options, options.config);
		return openSweepFolder(definition, out);
	}
	const [extra] = Object.keys(parseFlags(options));
	const other =
		extra ?? (["config", "seeds", "folds", "samples", "halving"] as const).find((key) => options[key] !== undefined);
	if (other === undefined) return reopenSweepFolder(options.resume);
	throw new TailtuneError("usage", `--resume: can't be combined with --${other}; a resumed sweep keeps its settings`);
}
