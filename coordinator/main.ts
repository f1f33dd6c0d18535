import { Command, CommanderError } from "commander";
import { exitCodeOf, TailtuneError } from "../shared/errors.ts";
import type { WorkerSide } from "../shared/worker-port/worker-side.ts";
import { checkMachine } from "./cli/check-machine.ts";
import { COMMAND_GROUPS, findCommand } from "./cli/command-table.ts";
import { printFirstLine } from "./cli/print-first-line.ts";
import { guardProcess } from "./cli/uncaught-errors.ts";
import { VERSION } from "./software-versions.ts";
import { printError } from "./terminal/print-error.ts";

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
	let endFirstLine = () => {};
	try {
		checkMachine();
		await addCommands(program, args, workerSide);
		program.hook("preAction", (_, command) => {
			endFirstLine = printFirstLine(command);
		});
		await program.parseAsync(args, { from: "user" });
	} catch (error) {
		if (error instanceof CommanderError && error.exitCode === 0) return; // help, version
		const reported = error instanceof CommanderError ? usageError(error, program) : error;
		printError(reported, program.opts());
		process.exitCode = exitCodeOf(reported);
	} finally {
		endFirstLine();
	}
}

/** Registers the requested command; all commands if its name is unknown, so that help and errors can list them. */
async function addCommands(program: Command, args: readonly string[], workerSide: WorkerSide): Promise<void> {
	const wanted = args.find((arg) => !arg.startsWith("-")) ?? "";
	if (wanted === "" && args.some((arg) => arg === "--version" || arg === "-V")) return;
	const isKnown = findCommand(wanted) !== undefined;
	for (const [title, commands] of Object.entries(COMMAND_GROUPS)) {
		program.commandsGroup(title);
		for (const [name, { load }] of Object.entries(commands)) {
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
