import { Command, CommanderError } from "commander";
import { exitCodeOf, TailtuneError } from "../shared/errors.ts";
import type { WorkerSide } from "../shared/worker-port/worker-side.ts";
import { checkMachine } from "./cli/check-machine.ts";
import { guardProcess } from "./cli/uncaught-errors.ts";
import { VERSION } from "./software-versions.ts";
import { printError } from "./terminal/print-error.ts";

/** Adds a command to the command line. */
type AddCommand = (program: Command, workerSide: WorkerSide) => void | Promise<void>;

/** Loads the commands, by name. Only the modules of the requested command are loaded. */
const ONE_MACHINE: Readonly<Record<string, () => Promise<AddCommand>>> = {
	train: async () => (await import("./cli/train-command.ts")).addTrainCommand,
	sweep: async () => (await import("./cli/sweep-command.ts")).addSweepCommand,
	evaluate: async () => (await import("./cli/evaluate-command.ts")).addEvaluateCommand,
	compare: async () => (await import("./cli/compare-command.ts")).addCompareCommand,
	ui: async () => (await import("./cli/ui-command.ts")).addUiCommand,
	classify: async () => (await import("./cli/classify-command.ts")).addClassifyCommand,
	serve: async () => (await import("./cli/serve-command.ts")).addServeCommand,
	export: async () => (await import("./cli/export-command.ts")).addExportCommand,
	push: async () => (await import("./cli/push-command.ts")).addPushCommand,
	doctor: async () => (await import("./cli/doctor-command.ts")).addDoctorCommand,
	quickstart: async () => (await import("./cli/quickstart-command.ts")).addQuickstartCommand,
};
const MANY_MACHINES: typeof ONE_MACHINE = {
	worker:
		async () =>
		(program, { addWorkerCommand }) =>
			addWorkerCommand(program),
	runs: async () => (await import("./cli/runs-command.ts")).addRunsCommand,
	workers: async () => (await import("./cli/workers-command.ts")).addWorkersCommand,
	cancel: async () => (await import("./cli/cancel-command.ts")).addCancelCommand,
};

/** Runs one command and sets the exit code. */
export async function main(args: readonly string[], workerSide: WorkerSide): Promise<void> {
	const program = new Command("tailtune")
		.description("Fine-tunes a GPT-2 into a text classifier.")
		.version(VERSION)
		.option("--json", "print one JSON object per line, for programs")
		.option("--debug", "print the stack of an error")
		.configureOutput({ writeErr: () => {} })
		.exitOverride();
	guardProcess((error) => printError(error, program.opts()));
	try {
		checkMachine();
		await addCommands(program, args, workerSide);
		await program.parseAsync(args, { from: "user" });
	} catch (error) {
		if (error instanceof CommanderError && error.exitCode === 0) return; // help, version
		const reported = error instanceof CommanderError ? usageError(error, program) : error;
		printError(reported, program.opts());
		process.exitCode = exitCodeOf(reported);
	}
}

/** Registers the requested command; all commands if its name is unknown, so that help and errors can list them. */
async function addCommands(program: Command, args: readonly string[], workerSide: WorkerSide): Promise<void> {
	const wanted = args.find((arg) => !arg.startsWith("-")) ?? "";
	if (wanted === "" && args.some((arg) => arg === "--version" || arg === "-V")) return;
	const groups = { "One machine:": ONE_MACHINE, "Many machines:": MANY_MACHINES };
	const isKnown = Object.values(groups).some((commands) => Object.hasOwn(commands, wanted));
	for (const [title, commands] of Object.entries(groups)) {
		program.commandsGroup(title);
		for (const [name, load] of Object.entries(commands)) {
			if (!isKnown || name === wanted) await (await load())(program, workerSide);
		}
	}
}

function usageError(error: CommanderError, program: Command): TailtuneError {
	const names = program.commands.map((command) => command.name());
	const commands = names.join(", ");
	// If one command is registered, it is the requested one.
	const help = ["tailtune", ...(names.length === 1 ? names : []), "--help"].join(" ");
	const expected: Record<string, string> = {
		"commander.help": `expected a command: ${commands}`,
		"commander.unknownCommand": `, expected one of ${commands}`,
		"commander.unknownOption": `; see ${help}`,
	};
	const message = error.message === "(outputHelp)" ? "" : error.message.replace(/^error: /, "").replaceAll("\n", " ");
	return new TailtuneError("usage", `${message}${expected[error.code] ?? ""}`, { cause: error });
}
