import type { Cluster } from "../cluster/cluster.ts";
import type { Dispatcher } from "../cluster/dispatcher.ts";
import { WORKERS_REPORT_MS } from "../deadlines.ts";
import type { RunEvents } from "../events/run-events.ts";

/** Emits the state of each worker, every second and once at the end. @returns a function that stops it */
export function reportWorkers(
	events: RunEvents,
	{
		dispatcher,
		traffic,
	}: { readonly dispatcher: Pick<Dispatcher, "listActivity">; readonly traffic?: Cluster["traffic"] },
): () => void {
	const report = () => {
		const seconds = performance.now() / 1000;
		const { sent, received } = traffic?.() ?? { sent: 0, received: 0 };
		const bytes = traffic ? sent + received : null;
		events.emitDetail({ event: "workers-now", seconds, workers: dispatcher.listActivity(), bytes });
	};
	const timer = setInterval(report, WORKERS_REPORT_MS).unref();
	return () => {
		clearInterval(timer);
		report();
	};
}
