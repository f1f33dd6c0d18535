import type { Bus } from "../../shared/bus/bus.ts";
import type { CoordinatorTensors } from "../../shared/exchange/tensor-exchange.ts";
import { tensorSchema } from "../../shared/exchange/tensor-schema.ts";
import type { RunProgress, RunSpec, TailSpec } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { TRUNK_PRECISION_BY_NAME, type TrunkPrecision } from "../../shared/model/trunk-precision.ts";
import type { Notices } from "../../shared/notices.ts";
import type { WorkerSettings } from "../../shared/settings/worker-flags.ts";
import { partLength } from "../../shared/updates/embedding-rows.ts";
import type { EngineChoice } from "../../shared/worker-port/engine-choice.ts";
import type { Traffic } from "../rpc/http2-servers.ts";
import { Dispatcher, type DispatcherOptions } from "./dispatcher.ts";

/** Settings with which a run is announced to workers. */
export interface ClusterRun extends DispatcherOptions {
	readonly runId: string;
	/** Ids under which this run was announced by coordinators that died. They are retired. Default: none. */
	readonly abandoned?: readonly string[];
	readonly model: ModelFiles;
	/** Hash of the model's weights; workers of other processes fetch the model by it. */
	readonly modelHash: string;
	readonly tail: TailSpec;
	/** Precision in which features are computed. */
	readonly trunkPrecision: TrunkPrecision;
	readonly shards: number;
	/**
	 * Texts per optimizer step if the head reads one row of every text: large gradients are then sent as factors.
	 * Default: 0, gradients are dense.
	 */
	readonly factorTexts?: number | undefined;
	/** Settings of a worker in this process or on this machine. */
	readonly engine: WorkerSettings & Pick<EngineChoice, "trunkThreads">;
}

/** An announced run, whether its workers are in this process or on other hosts. */
export interface Cluster {
	readonly spec: RunSpec;
	readonly dispatcher: Dispatcher;
	readonly tensors: CoordinatorTensors;
	/** Compute threads, if the worker is in this process. */
	readonly threads?: number;
	/** Aborts when a request to cancel the run arrives over the bus. */
	readonly cancelled: AbortSignal;
	/** Problems that hold up the run. */
	readonly notices: Notices;
	/** Publishes the run's progress on the bus. */
	readonly report: (progress: RunProgress) => Promise<void>;
	/** Number of messages refused so far, by reason. */
	readonly refusals: () => Readonly<Record<string, number>>;
	/** Bytes to and from the workers so far. Undefined if they are in this process. */
	readonly traffic?: () => Traffic;
	/** Retires the run and disconnects. */
	close(): Promise<void>;
}

/** Announces a run to workers. */
export type OpenCluster = (run: ClusterRun) => Promise<Cluster>;

/** Opens the run in the exchange and announces it. @param tensorsAddress HOST:PORT, or empty within one process */
export async function announceRun(
	bus: Bus,
	tensors: CoordinatorTensors,
	{ runId, model, modelHash, tail, trunkPrecision, shards, factorTexts = 0, abandoned = [], ...options }: ClusterRun,
	tensorsAddress: string,
): Promise<Pick<Cluster, "spec" | "dispatcher" | "cancelled" | "report">> {
	const precision = TRUNK_PRECISION_BY_NAME[trunkPrecision];
	const spec: RunSpec = { runId, modelHash, tail, shards, factorTexts, tensorsAddress, trunkPrecision: precision };
	const schema = tensorSchema(spec, model.config);
	for (const former of abandoned) await bus.retire(former);
	const dispatcher = new Dispatcher(bus, spec, {
		...options,
		gradientLength: (sequences) => partLength(schema.form, sequences),
	});
	tensors.openRun(runId, schema, dispatcher, (parts) => bus.publishUpdate(runId, parts));
	await dispatcher.start();
	const cancelled = new AbortController();
	const followCancels = async () => {
		for await (const _ of bus.watchCancels(runId, new AbortController().signal)) cancelled.abort();
	};
	followCancels().catch((error) => dispatcher.fail(error));
	return { spec, dispatcher, cancelled: cancelled.signal, report: (progress) => bus.report(progress) };
}
