import type { Bus } from "../../shared/bus/bus.ts";
import type { CoordinatorTensors } from "../../shared/exchange/tensor-exchange.ts";
import { messageOf, type Travel, tensorSchema } from "../../shared/exchange/tensor-schema.ts";
import type { RunProgress, RunSpec, TailSpec } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { parameterLayout } from "../../shared/model/parameter-layout.ts";
import { TRUNK_PRECISION_BY_NAME, type TrunkPrecision } from "../../shared/model/trunk-precision.ts";
import type { Notices } from "../../shared/notices.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { Dispatcher, type DispatcherOptions } from "./dispatcher.ts";

/** What is computed for, on whichever workers there are. */
export interface ClusterRun extends DispatcherOptions {
	readonly runId: string;
	/** Runs that this one goes on with, whose coordinators died: workers needn't wait for them. */
	readonly abandoned?: readonly string[];
	readonly model: ModelFiles;
	/** Of the model; workers of other processes ask for it by this name. */
	readonly modelHash: string;
	readonly tail: TailSpec;
	/** What features are computed with. */
	readonly trunkPrecision: TrunkPrecision;
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
	/** Aborts when somebody asks the run, over the bus, to stop. */
	readonly cancelled: AbortSignal;
	/** Whatever holds the run up. */
	readonly notices: Notices;
	/** Tells those who ask over the bus how far the run has come. */
	readonly report: (progress: RunProgress) => Promise<void>;
	/** How many messages were refused so far, by reason. */
	readonly refusals: () => Readonly<Record<string, number>>;
	/** Retires the run and leaves. */
	close(): Promise<void>;
}

/** Brings a run to workers. */
export type OpenCluster = (run: ClusterRun) => Promise<Cluster>;

/** Opens the run's tensors and announces it. @param tensorsAddress HOST:PORT, or empty within one process */
export async function announceRun(
	bus: Bus,
	tensors: CoordinatorTensors,
	{ runId, model, modelHash, tail, trunkPrecision, shards, travel, abandoned = [], ...options }: ClusterRun,
	tensorsAddress: string,
): Promise<Pick<Cluster, "spec" | "dispatcher" | "cancelled" | "report">> {
	const schema = tensorSchema(modelHash, parameterLayout(tail, model.config), travel);
	const precision = TRUNK_PRECISION_BY_NAME[trunkPrecision];
	const place = { runId, modelHash, tail, shards, tensorsAddress };
	const spec: RunSpec = { ...place, trunkPrecision: precision, ...(travel && messageOf(travel)) };
	for (const former of abandoned) await bus.retire(former);
	const dispatcher = new Dispatcher(bus, spec, { ...options, gradientLength: schema.gradients });
	tensors.openRun(runId, schema, dispatcher);
	await dispatcher.start();
	const cancelled = new AbortController();
	const followCancels = async () => {
		for await (const _ of bus.watchCancels(runId, new AbortController().signal)) cancelled.abort();
	};
	followCancels().catch((error) => dispatcher.fail(error));
	return { spec, dispatcher, cancelled: cancelled.signal, report: (progress) => bus.report(progress) };
}
