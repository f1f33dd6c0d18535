import type { RunEvents } from "../events/run-events.ts";

/** Prints on a terminal what a command does first, because reading many texts takes long. Files get results only. */
export function announceWork(events: RunEvents, { json }: { readonly json?: boolean }, work: string): void {
	if (process.stdout.isTTY && !json) events.line(work);
}
