import type { Bus } from "../../shared/bus/bus.ts";
import type { TrainConfig } from "../../shared/config.ts";
import type { RunSpec, TailSpec } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { parameterLayout } from "../../shared/model/parameter-layout.ts";
import type { CoordinatorTensors } from "../../shared/tensors/tensor-exchange.ts";
import { messageOf, type Travel, tensorSchema } from "../../shared/tensors/tensor-schema.ts";
import { Dispatcher } from "./dispatcher.ts";

/** What is computed for, on whichever workers there are. */
export interface ClusterRun {
	readonly runId: string;
	readonly model: ModelFiles;
	/** Of the model; workers of other processes ask for it by this name. */
	readonly modelHash: string;
	readonly tail: TailSpec;
	readonly shards: number;
	/** Default: float32 and no moments. */
	readonly travel?: Travel;
	/** What a worker in this process computes with. */
	readonly engine: Pick<TrainConfig, "engine" | "backend" | "threads" | "featureMemory" | "featureCache">;
}

/** A run announced to workers, wherever they are. */
export interface Cluster {
	readonly spec: RunSpec;
	readonly dispatcher: Dispatcher;
	readonly tensors: CoordinatorTensors;
	/** Retires the run and leaves. */
	close(): Promise<void>;
}

/** Brings a run to workers. */
export type OpenCluster = (run: ClusterRun) => Promise<Cluster>;

/** Opens the run's tensors and announces it. @param tensorsAddress HOST:PORT, or empty within one process */
export async function announceRun(
	bus: Bus,
	tensors: CoordinatorTensors,
	{ runId, model, modelHash, tail, shards, travel }: ClusterRun,
	tensorsAddress: string,
): Promise<{ spec: RunSpec; dispatcher: Dispatcher }> {
	tensors.openRun(runId, tensorSchema(modelHash, parameterLayout(tail, model.config), travel));
	const spec: RunSpec = { runId, modelHash, tail, shards, tensorsAddress, ...(travel && messageOf(travel)) };
	const dispatcher = new Dispatcher(bus, spec);
	await dispatcher.start();
	return { spec, dispatcher };
}
