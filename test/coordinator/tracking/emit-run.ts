import type { RunEvents } from "../../../coordinator/events/run-events.ts";
import type { MetricsLine } from "../../../coordinator/run-folder/result.ts";
import { defaultConfig } from "../../../shared/settings/resolve-config.ts";

/** Settings of the emitted runs. */
export const config = { ...defaultConfig(), data: "/data/sms.tsv", lr: 0.001, out: "/runs/one" };

/** Emits the events of one process of a run. @param earlier evaluations of earlier processes */
export function emitRun(
	events: RunEvents,
	lines: readonly MetricsLine[],
	earlier: readonly MetricsLine[] = [],
	folder = "/runs/one",
): void {
	events.emitDetail({ event: "run-started", folder, config, metrics: earlier });
	for (const line of lines) events.emit({ event: line.kind, ...line });
}

/** Collects the warnings of a run. */
export function collectWarnings(events: RunEvents): string[] {
	const warnings: string[] = [];
	events.listen((event) => event.event === "warning" && warnings.push(event.text));
	return warnings;
}
