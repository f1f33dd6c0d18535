import { systemCodeOf } from "../../shared/errors.ts";
import type { Listener } from "../events/listener-queue.ts";
import { HumanTerminal } from "./human-terminal.ts";
import { JsonTerminal } from "./json-terminal.ts";
import type { TerminalStream } from "./terminal-stream.ts";

export interface TerminalOptions {
	/** Whether to write one JSON object per line and nothing else; default: lines for people. */
	readonly json?: boolean | undefined;
	/** Default: standard output. */
	readonly stream?: TerminalStream | undefined;
	/** Default: the environment of the process. */
	readonly env?: NodeJS.ProcessEnv | undefined;
	/** A monotonic clock, in milliseconds. Default: time since the process began. */
	readonly now?: (() => number) | undefined;
}

/** Creates a listener that prints events: with bars on a terminal, as plain lines in other streams, or as JSON. */
export function createTerminal(options: TerminalOptions = {}): Listener {
	const { stream = process.stdout, env = process.env, now = () => performance.now(), json } = options;
	// The run continues if the reader closes the pipe, as `head` does.
	stream.on("error", (error) => {
		if (systemCodeOf(error) !== "EPIPE") throw error;
	});
	const terminal = json ? new JsonTerminal(stream) : new HumanTerminal({ stream, env, now });
	return (event) => terminal.show(event);
}
