import { createMemoryBus } from "../../shared/bus/memory-bus.ts";
import type { WorkerSide } from "../../shared/embedded-worker.ts";
import { featureCacheBytes, featureMemoryBytes } from "../../shared/feature-memory.ts";
import { countPhysicalCores } from "../../shared/physical-cores.ts";
import { createMemoryTensors } from "../../shared/tensors/memory-tensors.ts";
import { announceRun, type Cluster, type ClusterRun } from "./cluster.ts";

/** Starts a bus and a worker in this process and announces a run to it. */
export async function openEmbeddedCluster(
	{ startWorker }: Pick<WorkerSide, "startWorker">,
	run: ClusterRun,
): Promise<Cluster> {
	const bus = createMemoryBus();
	const tensors = createMemoryTensors();
	const { engine, backend, threads = countPhysicalCores(), featureMemory, featureCache } = run.engine;
	const worker = await startWorker({
		bus,
		connect: async () => ({ tensors, openModel: async () => run.model, close: async () => {} }),
		engine: { engine, backend, threads },
		featureMemoryBytes: featureMemoryBytes(featureMemory),
		featureCacheBytes: featureCacheBytes(featureCache),
	});
	const { spec, dispatcher } = await announceRun(bus, tensors, run, "");
	worker.stopped.catch((error) => dispatcher.fail(error));
	const close = async () => {
		await dispatcher.stop();
		await worker.stop();
		await bus.close();
	};
	return { spec, dispatcher, tensors, close };
}
