import { RunEvents } from "../events/run-events.ts";
import { createTerminal } from "../terminal/create-terminal.ts";

/** Creates events that are shown on standard output: as JSON with `--json`, otherwise as lines for people. */
export function showEvents({ json }: { readonly json?: boolean | undefined }): RunEvents {
	const events = new RunEvents();
	events.listen(createTerminal({ json }));
	return events;
}
