import { createMemoryBus } from "../../../coordinator/cluster/memory-bus.ts";
import { LiveCluster } from "../../../coordinator/dashboard/live-cluster.ts";
import { someProgress, someRun, someWorker } from "../../shared/bus/messages.ts";

/**
 * Creates a cluster with a run on two workers, one of which is lost, and a worker without a run.
 * @returns also a promise that resolves when the run is asked to stop
 */
export async function sampleCluster() {
	const bus = createMemoryBus();
	const run = someRun({ shards: 2 });
	for (const id of ["vm-2", "vm-3"]) await bus.join(someWorker(id));
	await bus.announce(run);
	await bus.assign({ runId: run.runId, shard: 0, workerId: "vm-2" });
	await bus.assign({ runId: run.runId, shard: 1, workerId: "vm-2" });
	const cancelled = nextCancel(bus, run.runId);
	const workers = [
		{ workerId: "vm-2", state: "computing", speed: 1.25, texts: 640 },
		{ workerId: "vm-1", state: "silent", speed: 0.75, texts: 320 },
	];
	const model = `openai-community/gpt2@${"0123456789".repeat(4)}`;
	await bus.report(someProgress({ runId: run.runId, model, workers, notices: ["work item 7 is tried again"] }));
	const cluster = new LiveCluster();
	return { bus, runId: run.runId, cluster, cancelled };
}

async function nextCancel(bus: ReturnType<typeof createMemoryBus>, runId: string): Promise<void> {
	for await (const _ of bus.watchCancels(runId, new AbortController().signal)) return;
}
