import type { Command } from "commander";
import { printable } from "../../shared/printable.ts";
import { SILENCE_MS } from "../deadlines.ts";
import { findCommand } from "./command-table.ts";

/**
 * Prints on a terminal what a command does, before its implementation is loaded: that takes seconds on a busy machine.
 * The line goes to standard error, so results are not disturbed. Programs (`--json`, no terminal, a parent
 * process with a channel) get no such line.
 * @returns a function to call at the end of the command, so that a quick command prints nothing
 */
export function printFirstLine(command: Command): () => void {
	const flags = command.optsWithGlobals();
	const { describeWork, isQuick = false } = findCommand(command.name()) ?? {};
	const work = describeWork?.(command.args, flags);
	if (work === undefined || flags.json || !process.stderr.isTTY || process.send) return () => {};
	const print = () => process.stderr.write(`${printable(work)}\n`);
	// Since the process began: loading the command itself may have taken long.
	const silenceMs = isQuick ? SILENCE_MS - performance.now() : 0;
	if (silenceMs <= 0) {
		print();
		return () => {};
	}
	const timer = setTimeout(() => process.stdout.bytesWritten || print(), silenceMs).unref();
	return () => clearTimeout(timer);
}
