import type { Dispatcher } from "../cluster/dispatcher.ts";
import { WORKERS_REPORT_MS } from "../deadlines.ts";
import type { RunEvents } from "../events/run-events.ts";

/** Emits the state of each worker, every second and once at the end. @returns a function that stops it */
export function reportWorkers(events: RunEvents, dispatcher: Pick<Dispatcher, "listActivity">): () => void {
	const report = () => {
		const seconds = performance.now() / 1000;
		events.emitDetail({ event: "workers-now", seconds, workers: dispatcher.listActivity() });
	};
	const timer = setInterval(report, WORKERS_REPORT_MS).unref();
	return () => {
		clearInterval(timer);
		report();
	};
}
