import type { Bus } from "../../shared/bus/bus.ts";
import type { TrainConfig } from "../../shared/config.ts";
import type { RunSpec, TailSpec } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { parameterLayout } from "../../shared/model/parameter-layout.ts";
import { TRUNK_PRECISION_BY_NAME, type TrunkPrecision } from "../../shared/model/trunk-precision.ts";
import type { CoordinatorTensors } from "../../shared/tensors/tensor-exchange.ts";
import { tensorSchema } from "../../shared/tensors/tensor-schema.ts";
import { Dispatcher } from "./dispatcher.ts";

/** What is computed for, on whichever workers there are. */
export interface ClusterRun {
	readonly runId: string;
	readonly model: ModelFiles;
	/** Of the model; workers of other processes ask for it by this name. */
	readonly modelHash: string;
	readonly tail: TailSpec;
	/** What features are computed with. */
	readonly trunkPrecision: TrunkPrecision;
	readonly shards: number;
	/** What a worker in this process computes with. */
	readonly engine: Pick<TrainConfig, "engine" | "backend" | "threads" | "featureMemory">;
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
	{ runId, model, modelHash, tail, trunkPrecision, shards }: ClusterRun,
	tensorsAddress: string,
): Promise<{ spec: RunSpec; dispatcher: Dispatcher }> {
	tensors.openRun(runId, tensorSchema(modelHash, parameterLayout(tail, model.config)));
	const precision = TRUNK_PRECISION_BY_NAME[trunkPrecision];
	const spec: RunSpec = { runId, modelHash, tail, shards, tensorsAddress, trunkPrecision: precision };
	const dispatcher = new Dispatcher(bus, spec);
	await dispatcher.start();
	return { spec, dispatcher };
}
