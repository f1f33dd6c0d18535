import { Command, CommanderError } from "commander";
import type { WorkerSide } from "../shared/embedded-worker.ts";
import { exitCodeOf, TailtuneError } from "../shared/errors.ts";
import { addClassifyCommand } from "./cli/classify-command.ts";
import { addDoctorCommand } from "./cli/doctor-command.ts";
import { addEvaluateCommand } from "./cli/evaluate-command.ts";
import { addExportCommand } from "./cli/export-command.ts";
import { guardProcess } from "./cli/guard-process.ts";
import { addQuickstartCommand } from "./cli/quickstart-command.ts";
import { addTrainCommand } from "./cli/train-command.ts";
import { printError } from "./terminal/print-error.ts";

const COMMANDS = [
	addTrainCommand,
	addEvaluateCommand,
	addClassifyCommand,
	addExportCommand,
	addDoctorCommand,
	addQuickstartCommand,
];

/** The command line: runs one command and sets the exit code. */
export async function main(args: readonly string[], workerSide: WorkerSide): Promise<void> {
	const program = new Command("tailtune")
		.description("Fine-tunes a GPT-2 into a text classifier.")
		.option("--json", "one JSON object a line, for machines")
		.option("--debug", "show where an error came from")
		.configureOutput({ writeErr: () => {} })
		.exitOverride();
	for (const add of COMMANDS) {
		add(program, workerSide);
	}
	workerSide.addWorkerCommand(program);
	guardProcess((error) => printError(error, program.opts()));
	try {
		await program.parseAsync(args, { from: "user" });
	} catch (error) {
		if (error instanceof CommanderError && error.exitCode === 0) return; // help
		const reported = error instanceof CommanderError ? usageError(error, program) : error;
		printError(reported, program.opts());
		process.exitCode = exitCodeOf(reported);
	}
}

function usageError(error: CommanderError, program: Command): TailtuneError {
	const commands = program.commands.map((command) => command.name()).join(", ");
	const expected: Record<string, string> = {
		"commander.help": `expected a command: ${commands}`,
		"commander.unknownCommand": `, expected one of ${commands}`,
		"commander.unknownOption": ", expected one that --help names",
	};
	const message = error.message === "(outputHelp)" ? "" : error.message.replace(/^error: /, "").replaceAll("\n", " ");
	return new TailtuneError("usage", `${message}${expected[error.code] ?? ""}`, { cause: error });
}
