import { Notices } from "../../shared/notices.ts";
import { featureCacheBytes, featureMemoryBytes } from "../../shared/settings/feature-memory.ts";
import { countPhysicalCores } from "../../shared/vectors/physical-cores.ts";
import type { WorkerOptions } from "../../shared/worker-port/running-worker.ts";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import { createMemoryTensors } from "../exchange/memory-tensors.ts";
import { announceRun, type Cluster, type ClusterRun } from "./cluster.ts";
import { createMemoryBus } from "./memory-bus.ts";

/**
 * Starts a bus and a worker in this process and announces a run to it.
 * @param engineIn "thread" if the event loop must answer calls at the same time; "main-thread" is a little faster
 */
export async function openEmbeddedCluster(
	{ startWorker }: Pick<WorkerSide, "startWorker">,
	run: ClusterRun,
	engineIn: NonNullable<WorkerOptions["engineIn"]> = "main-thread",
): Promise<Cluster> {
	const bus = createMemoryBus();
	const tensors = createMemoryTensors();
	const { engine, backend, threads = countPhysicalCores(), trunkThreads, featureMemory, featureCache } = run.engine;
	const worker = await startWorker({
		bus,
		connect: async () => ({ tensors, openModel: async () => run.model, close: async () => {} }),
		engine: { engine, backend, threads, trunkThreads },
		engineIn,
		featureMemoryBytes: featureMemoryBytes(featureMemory),
		featureCacheBytes: featureCacheBytes(featureCache),
	});
	const leave = async () => {
		await worker.stop();
		await bus.close();
	};
	const announced = await announceRun(bus, tensors, run, "").catch(async (error) => {
		await leave();
		throw error;
	});
	const { dispatcher } = announced;
	worker.stopped.catch((error) => dispatcher.fail(error));
	const close = async () => {
		await dispatcher.stop();
		await leave();
	};
	return { ...announced, tensors, threads, notices: new Notices(), refusals: () => ({}), close };
}
