import type { Command } from "commander";
import { printable } from "../../shared/printable.ts";
import { SILENCE_MS } from "../deadlines.ts";
import { findCommand } from "./command-table.ts";

/**
 * Prints what a command does before its implementation is loaded, because loading takes seconds on a busy machine.
 * The line goes to standard error, so that it isn't part of the result. It is for people only: it isn't printed with
 * `--json`, without a terminal, or by a process that another program started with a channel for messages.
 * @returns a function to call at the end of the command: the line of a quick command isn't printed any more
 */
export function printFirstLine(command: Command): () => void {
	const flags = command.optsWithGlobals();
	const { describeWork, isQuick = false } = findCommand(command.name()) ?? {};
	const work = describeWork?.(command.args, flags);
	if (work === undefined || flags.json || !process.stderr.isTTY || process.send) return () => {};
	const print = () => process.stderr.write(`${printable(work)}\n`);
	// Counted from the start of the process, because loading the flags may have taken long.
	const silenceMs = isQuick ? SILENCE_MS - performance.now() : 0;
	if (silenceMs <= 0) {
		print();
		return () => {};
	}
	const timer = setTimeout(() => process.stdout.bytesWritten || print(), silenceMs).unref();
	return () => clearTimeout(timer);
}
