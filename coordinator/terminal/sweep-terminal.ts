import type { Listener } from "../events/listener-queue.ts";
import type { RunEvent } from "../events/schemas.ts";

/** Events of a trial that its line and the table at the end summarize. */
const SUMMARIZED: ReadonlySet<RunEvent["event"]> = new Set(["texts", "step", "epoch", "result"]);
/** Events that are the same in many trials. */
const REPEATED: ReadonlySet<RunEvent["event"]> = new Set(["line", "warning"]);

/** Passes on the events of a sweep that are of interest to people; each remark and each warning only once. */
export function summarizeTrials(listener: Listener): Listener {
	const passed = new Set<string>();
	return (event) => {
		if (SUMMARIZED.has(event.event)) return;
		if (REPEATED.has(event.event)) {
			const text = JSON.stringify({ ...event, trial: undefined });
			if (passed.has(text)) return;
			passed.add(text);
		}
		return listener(event);
	};
}
