import { RunEvents } from "../events/run-events.ts";
import { createTerminal } from "../terminal/create-terminal.ts";

/** Events that are shown on standard output: as JSON with `--json`, else as lines for people. */
export function showEvents({ json }: { readonly json?: boolean | undefined }): RunEvents {
	const events = new RunEvents();
	events.listen(createTerminal({ json }));
	return events;
}
