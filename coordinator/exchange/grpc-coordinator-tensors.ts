import type { ExchangeHandlers } from "../../proto/gen/tailtune/v1/Exchange.ts";
import type { PutAnswerRequest } from "../../proto/gen/tailtune/v1/PutAnswerRequest.ts";
import { ServedModels } from "../../shared/exchange/model-manifest.ts";
import type { CoordinatorTensors } from "../../shared/exchange/tensor-exchange.ts";
import { exchangeDefinition } from "../../shared/exchange/tensor-service.ts";
import type { RefusalReason } from "../../shared/rpc/refusal.ts";
import { clientStream, type OnRefused, serverStream, unary } from "../rpc/handlers.ts";
import type { Traffic } from "../rpc/http2-servers.ts";
import type { RpcService } from "../rpc/rpc-service.ts";
import { createServer, type ServerOptions } from "../rpc/server.ts";
import { Leases } from "./grpc-leases.ts";
import { Uploads } from "./grpc-uploads.ts";
import { ServedRuns } from "./served-runs.ts";

export interface TensorServiceOptions {
	/** Called when a worker opens its stream, which it holds open as long as it runs. */
	readonly onWorkerConnected?: ((workerId: string) => void) | undefined;
	/** Called when a worker's stream breaks, within milliseconds after the worker died or left. */
	readonly onWorkerLost?: ((workerId: string) => void) | undefined;
	/** Milliseconds without a message after which an upload is ended; default: `CALL_SILENCE_MS`. */
	readonly silenceMs?: number | undefined;
	/** Folders of the models that workers may fetch, by the hash of their weights. */
	readonly models?: ReadonlyMap<string, string> | undefined;
}

/** The coordinator's side of the exchange between hosts. */
export interface ServedTensors extends CoordinatorTensors {
	/** Number of calls refused, by reason. */
	readonly refusals: ReadonlyMap<RefusalReason, number>;
	/** Number of published parts of updates that workers refused. */
	readonly refusedParts: number;
	/** Ids of the attached workers. */
	readonly workers: readonly string[];
	/** Answers whose stream is open. */
	readonly uploadsUnderWay: number;
	/** Counts what is kept for a run, for tests that memory is released. */
	held: ServedRuns["held"];
}

/** The exchange and its gRPC service, which can be added to a server. */
export interface TensorService {
	readonly tensors: ServedTensors;
	readonly service: RpcService;
	/** Counts a refusal outside the service, for example of a token. */
	readonly onRefused: (reason: RefusalReason) => void;
	/** Ends the streams that workers hold open. */
	close(): void;
}

/** Creates the service `tailtune.v1.Exchange`. */
export function createTensorService(options: TensorServiceOptions = {}): TensorService {
	const leases = new Leases(options);
	const runs = new ServedRuns({ countWorkers: () => leases.workers.length });
	const models = new ServedModels(options.models ?? new Map());
	const uploads = new Uploads({ runs, silenceMs: options.silenceMs });
	const refusals = new Map<RefusalReason, number>();
	const onRefused = (reason: RefusalReason) => {
		refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
	};
	const handlers = createHandlers({ runs, leases, models, uploads }, onRefused);
	const tensors: ServedTensors = {
		hasReplicas: true,
		openRun: (...args) => runs.openRun(...args),
		closeRun: (runId) => runs.closeRun(runId),
		publishState: (...args) => runs.publishState(...args),
		dropState: (...args) => runs.dropState(...args),
		publishUpdate: (...args) => runs.publishUpdate(...args),
		lendGradientBuffers: (...args) => runs.lendGradientBuffers(...args),
		held: (runId) => runs.held(runId),
		refusals,
		get refusedParts() {
			return runs.refusedParts;
		},
		get workers() {
			return leases.workers;
		},
		get uploadsUnderWay() {
			return uploads.underWay;
		},
	};
	return { tensors, service: { definition: exchangeDefinition, handlers }, onRefused, close: () => leases.close() };
}

interface HandlerParts {
	readonly runs: ServedRuns;
	readonly leases: Leases;
	readonly models: ServedModels;
	readonly uploads: Uploads;
}

function createHandlers({ runs, leases, models, uploads }: HandlerParts, onRefused: OnRefused): ExchangeHandlers {
	return {
		Attach: serverStream(onRefused, (request, cutOff) => leases.attach(request, cutOff)),
		GetState: serverStream(onRefused, (request) => runs.sendState(request)),
		GetUpdates: serverStream(onRefused, (request) => runs.sendUpdates(request)),
		PutAnswer: clientStream(onRefused, (requests: AsyncIterable<PutAnswerRequest>, interrupt) =>
			uploads.receive(requests, interrupt),
		),
		GetModelManifest: unary(onRefused, (request) => models.manifest(request)),
		GetModelFile: serverStream(onRefused, (request) => models.file(request)),
	};
}

/** A server with the exchange only. */
export interface TensorServer extends ServedTensors {
	/** HOST:PORT to which workers connect. */
	readonly address: string;
	/** Bytes of all connections so far. */
	traffic(): Traffic;
	close(): Promise<void>;
}

/**
 * Starts a server of the exchange.
 * @throws TailtuneError as `createServer`
 */
export async function serveTensors(options: TensorServiceOptions & ServerOptions = {}): Promise<TensorServer> {
	const { tensors, service, onRefused, close } = createTensorService(options);
	const server = await createServer({ ...options, onRefused }, [service]);
	const stop = async () => {
		close();
		await server.close();
	};
	return Object.defineProperties(
		{ address: server.address, traffic: () => server.traffic, close: stop } as TensorServer,
		Object.getOwnPropertyDescriptors(tensors),
	);
}
