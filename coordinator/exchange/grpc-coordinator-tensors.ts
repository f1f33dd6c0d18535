import type { GetParametersRequest } from "../../proto/gen/tailtune/v1/GetParametersRequest.ts";
import type { PutGradientRequest } from "../../proto/gen/tailtune/v1/PutGradientRequest.ts";
import type { TensorsHandlers } from "../../proto/gen/tailtune/v1/Tensors.ts";
import { ServedModels } from "../../shared/exchange/model-manifest.ts";
import type { CoordinatorTensors } from "../../shared/exchange/tensor-exchange.ts";
import { checkProtocolVersion, tensorsDefinition } from "../../shared/exchange/tensor-service.ts";
import type { TensorPart } from "../../shared/exchange/tensor-stream.ts";
import type { RefusalReason } from "../../shared/rpc/refusal.ts";
import { clientStream, serverStream, unary } from "../rpc/handlers.ts";
import type { RpcService } from "../rpc/rpc-service.ts";
import { createServer, type ServerOptions } from "../rpc/server.ts";
import { Leases } from "./grpc-leases.ts";
import { Uploads } from "./grpc-uploads.ts";
import { createMemoryTensors, type MemoryTensors } from "./memory-tensors.ts";
import { ServedRuns, staleVersion } from "./served-runs.ts";

export interface TensorServiceOptions {
	/** What a worker in this process uses beside those of other hosts; one of its own by default. */
	readonly exchange?: MemoryTensors | undefined;
	/** Whether somebody waits for the gradient of an item; others are refused. By default every item of a version. */
	readonly isExpected?: ((runId: string, itemKey: string) => boolean) | undefined;
	/** Told of a worker that opened the stream that it holds as long as it lives. */
	readonly onWorkerConnected?: ((workerId: string) => void) | undefined;
	/** Told within milliseconds of a worker that died or left: the stream it held is gone. */
	readonly onWorkerLost?: ((workerId: string) => void) | undefined;
	/** An upload that sends nothing for so many ms is ended; default: `CALL_SILENCE_MS`. */
	readonly silenceMs?: number | undefined;
	/** Folders of the models that workers may fetch, by the hash of their weights. */
	readonly models?: ReadonlyMap<string, string> | undefined;
}

/** The coordinator's side of the exchange between hosts. */
export interface ServedTensors extends CoordinatorTensors {
	/** How many calls were refused, by reason. */
	readonly refusals: ReadonlyMap<RefusalReason, number>;
	/** Ids of the workers attached now. */
	readonly workers: readonly string[];
	/** Uploads whose stream is open. */
	readonly uploadsUnderWay: number;
}

/** The service, to be put on a server, beside the exchange that it serves. */
export interface TensorService {
	readonly tensors: ServedTensors;
	readonly service: RpcService;
	/** Counts a refusal that happened outside the service, as of a token. */
	readonly onRefused: (reason: RefusalReason) => void;
	/** Ends the streams that workers hold open. */
	close(): void;
}

/** Makes the service `tailtune.v1.Tensors` for a server that may have others too. */
export function createTensorService(options: TensorServiceOptions = {}): TensorService {
	const { exchange = createMemoryTensors(), isExpected = () => true } = options;
	const runs = new ServedRuns();
	const leases = new Leases(options);
	const models = new ServedModels(options.models ?? new Map());
	const uploads = new Uploads({ runs, exchange, isExpected, silenceMs: options.silenceMs });
	const refusals = new Map<RefusalReason, number>();
	const onRefused = (reason: RefusalReason) => {
		refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
	};
	const handlers: TensorsHandlers = {
		Attach: serverStream(onRefused, (request, cutOff) => leases.attach(request, cutOff)),
		GetParameters: serverStream(onRefused, (request) => sendParameters(runs, request)),
		PutGradient: clientStream(onRefused, (requests: AsyncIterable<PutGradientRequest>, interrupt) =>
			uploads.receive(requests, interrupt),
		),
		GetModelManifest: unary(onRefused, (request) => models.manifest(request)),
		GetModelFile: serverStream(onRefused, (request) => models.file(request)),
	};
	const tensors: ServedTensors = {
		...serve(exchange, runs),
		refusals,
		get workers() {
			return leases.workers;
		},
		get uploadsUnderWay() {
			return uploads.underWay;
		},
	};
	return { tensors, service: { definition: tensorsDefinition, handlers }, onRefused, close: () => leases.close() };
}

/** A server of its own for the exchange. */
export interface TensorServer extends ServedTensors {
	/** HOST:PORT that workers dial. */
	readonly address: string;
	close(): Promise<void>;
}

/**
 * Serves tensors to the workers that dial in.
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
		{ address: server.address, close: stop } as TensorServer,
		Object.getOwnPropertyDescriptors(tensors),
	);
}

function serve(exchange: MemoryTensors, runs: ServedRuns): CoordinatorTensors {
	return {
		openRun(runId, schema) {
			exchange.openRun(runId, schema);
			runs.open(runId, schema);
		},
		closeRun(runId) {
			runs.close(runId);
			exchange.closeRun(runId);
		},
		async publishParameters(runId, version, parameters) {
			runs.publish(runId, version, parameters);
			await exchange.publishParameters(runId, version, parameters);
		},
		async dropParameters(runId, version) {
			runs.drop(runId, version);
			await exchange.dropParameters(runId, version);
		},
		lendGradientBuffers: (runId, buffers) => exchange.lendGradientBuffers(runId, buffers),
		hasGradient: (runId, itemKey) => exchange.hasGradient(runId, itemKey),
		takeGradient: (runId, itemKey) => exchange.takeGradient(runId, itemKey),
	};
}

// A chunk is looked at when it is sent: of a version dropped meanwhile nothing may go out, its memory is written to again.
async function* sendParameters(runs: ServedRuns, request: GetParametersRequest): AsyncGenerator<TensorPart> {
	checkProtocolVersion(request);
	const { version } = runs.find(request);
	for (const part of version.parts) {
		if (version.ended.signal.aborted) throw staleVersion(request.runId, request.parameterVersion);
		yield part;
	}
}
