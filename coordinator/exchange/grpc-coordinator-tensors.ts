import type { ExchangeHandlers } from "../../proto/gen/tailtune/v1/Exchange.ts";
import type { GetParametersRequest } from "../../proto/gen/tailtune/v1/GetParametersRequest.ts";
import type { PutAnswerRequest } from "../../proto/gen/tailtune/v1/PutAnswerRequest.ts";
import { ServedModels } from "../../shared/exchange/model-manifest.ts";
import type { CoordinatorTensors } from "../../shared/exchange/tensor-exchange.ts";
import { checkProtocolVersion, exchangeDefinition } from "../../shared/exchange/tensor-service.ts";
import type { TensorPart } from "../../shared/exchange/tensor-stream.ts";
import type { RefusalReason } from "../../shared/rpc/refusal.ts";
import { clientStream, serverStream, unary } from "../rpc/handlers.ts";
import type { RpcService } from "../rpc/rpc-service.ts";
import { createServer, type ServerOptions } from "../rpc/server.ts";
import { Leases } from "./grpc-leases.ts";
import { Uploads } from "./grpc-uploads.ts";
import { ServedRuns, staleVersion } from "./served-runs.ts";

export interface TensorServiceOptions {
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
	/** Answers whose stream is open. */
	readonly uploadsUnderWay: number;
	/** What is held of a run, for tests that nothing is kept. */
	held: ServedRuns["held"];
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

/** Makes the service `tailtune.v1.Exchange` for a server. */
export function createTensorService(options: TensorServiceOptions = {}): TensorService {
	const runs = new ServedRuns();
	const leases = new Leases(options);
	const models = new ServedModels(options.models ?? new Map());
	const uploads = new Uploads({ runs, silenceMs: options.silenceMs });
	const refusals = new Map<RefusalReason, number>();
	const onRefused = (reason: RefusalReason) => {
		refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
	};
	const handlers: ExchangeHandlers = {
		Attach: serverStream(onRefused, (request, cutOff) => leases.attach(request, cutOff)),
		GetParameters: serverStream(onRefused, (request) => sendParameters(runs, request)),
		PutAnswer: clientStream(onRefused, (requests: AsyncIterable<PutAnswerRequest>, interrupt) =>
			uploads.receive(requests, interrupt),
		),
		GetModelManifest: unary(onRefused, (request) => models.manifest(request)),
		GetModelFile: serverStream(onRefused, (request) => models.file(request)),
	};
	const tensors: ServedTensors = {
		openRun: (...args) => runs.openRun(...args),
		closeRun: (runId) => runs.closeRun(runId),
		publishParameters: (...args) => runs.publishParameters(...args),
		dropParameters: (...args) => runs.dropParameters(...args),
		lendGradientBuffers: (...args) => runs.lendGradientBuffers(...args),
		held: (runId) => runs.held(runId),
		refusals,
		get workers() {
			return leases.workers;
		},
		get uploadsUnderWay() {
			return uploads.underWay;
		},
	};
	return { tensors, service: { definition: exchangeDefinition, handlers }, onRefused, close: () => leases.close() };
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

// A chunk is looked at when it is sent: of a version dropped meanwhile nothing may go out, its memory is written to again.
async function* sendParameters(runs: ServedRuns, request: GetParametersRequest): AsyncGenerator<TensorPart> {
	checkProtocolVersion(request);
	const { runId, parameterVersion, schemaHash } = request;
	const version = runs.findVersion(runId, parameterVersion, schemaHash);
	for (const part of version.parts) {
		if (version.isDropped) throw staleVersion(runId, parameterVersion);
		yield part;
	}
}
