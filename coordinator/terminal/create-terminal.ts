import { systemCodeOf } from "../../shared/errors.ts";
import type { Listener } from "../events/listener-queue.ts";
import { HumanTerminal, type TerminalStream } from "./human-terminal.ts";
import { JsonTerminal } from "./json-terminal.ts";

export interface TerminalOptions {
	/** One JSON object per line and nothing else; default: lines for people. */
	readonly json?: boolean | undefined;
	/** Default: standard output. */
	readonly stream?: TerminalStream | undefined;
	/** Default: the environment of the process. */
	readonly env?: NodeJS.ProcessEnv | undefined;
	/** Milliseconds that never go back. Default: since the process began. */
	readonly now?: (() => number) | undefined;
}

/** Shows events: bars on a terminal, plain lines elsewhere, or JSON. */
export function createTerminal(options: TerminalOptions = {}): Listener {
	const { stream = process.stdout, env = process.env, now = () => performance.now(), json } = options;
	// If the reader goes away, as `head` does, the run goes on.
	stream.on("error", (error) => {
		if (systemCodeOf(error) !== "EPIPE") throw error;
	});
	const terminal = json ? new JsonTerminal(stream) : new HumanTerminal({ stream, env, now });
	return (event) => terminal.show(event);
}
