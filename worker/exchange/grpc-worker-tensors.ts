import { setMaxListeners } from "node:events";
import type { GetUpdatesResponse } from "../../proto/gen/tailtune/v1/GetUpdatesResponse.ts";
import type { PutAnswerRequestInput } from "../../proto/gen/tailtune/v1/PutAnswerRequest.ts";
import type { PutAnswerResponse } from "../../proto/gen/tailtune/v1/PutAnswerResponse.ts";
import type { UpdatePart } from "../../proto/gen/tailtune/v1/UpdatePart.ts";
import type { Bus } from "../../shared/bus/bus.ts";
import { watchNothing } from "../../shared/bus/changes.ts";
import { CALL_SILENCE_MS } from "../../shared/deadlines.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { setGarbageLimit } from "../../shared/exchange/garbage-limit.ts";
import { releaseArrays, takeArray } from "../../shared/exchange/take-array.ts";
import type { Answer, WorkerTensors } from "../../shared/exchange/tensor-exchange.ts";
import { assertSameSchema, type TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { type ExchangeClient, ExchangeClientConstructor } from "../../shared/exchange/tensor-service.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { hasDiverged, isUnwanted, Refusal } from "../../shared/rpc/refusal.ts";
import { PROTOCOL_VERSION } from "../../shared/rpc/service.ts";
import { toAnswerMessages } from "./answer-stream.ts";
import { type ClientOptions, createClient } from "./client.ts";
import { type FetchModelOptions, fetchModel } from "./fetch-model.ts";
import { holdLease } from "./grpc-lease.ts";
import { readAll } from "./read.ts";
import { retryCall } from "./retry.ts";
import { RunReplica } from "./run-replica.ts";
import { sendAll } from "./send.ts";
import type { StateSource } from "./state-source.ts";

export interface ConnectOptions extends ClientOptions {
	/** Id by which the coordinator notices that the worker has died. */
	readonly workerId: string;
	/** Closes the connection and ends all waits for the coordinator when it aborts. */
	readonly signal?: AbortSignal | undefined;
	/** Milliseconds of silence of the coordinator after which a call is ended. Default: `CALL_SILENCE_MS`. */
	readonly silenceMs?: number | undefined;
	/** Threads that apply updates. Default: 1. */
	readonly threads?: number | undefined;
	/** Bus on which updates are published. Default: none, each update is read from the coordinator. */
	readonly bus?: Pick<Bus, "watchUpdates"> | undefined;
}

/** The worker's end of the exchange between hosts. */
export interface ConnectedTensors extends WorkerTensors {
	/**
	 * Opens a model from the cache, or fetches it from the coordinator. Its hash is checked.
	 * @throws TailtuneError "not-found", "checksum", "disk", "offline" or "interrupted"
	 */
	fetchModel(modelHash: string, options?: FetchModelOptions): Promise<ModelFiles>;
	/** Ends all calls and the worker's stream to the coordinator. */
	close(): Promise<void>;
}

/**
 * Connects a worker to the exchange of a coordinator, and keeps a stream open as a sign that the worker is running.
 * @param address HOST:PORT
 * @throws TailtuneError "offline" if no server answers there in time, "denied" or "protocol" if the worker is refused,
 * and "interrupted" if the signal aborts
 */
export async function connectTensors(address: string, options: ConnectOptions): Promise<ConnectedTensors> {
	const client = await createClient(ExchangeClientConstructor, address, options);
	const tensors = new GrpcWorkerTensors(client, options);
	try {
		options.signal?.throwIfAborted();
		await tensors.attach();
	} catch (error) {
		await tensors.close();
		throw error;
	}
	return tensors;
}

interface OpenRun {
	readonly schema: TensorSchema;
	readonly replica: RunReplica;
	/** Free buffers for gradients. */
	readonly free: Float32Array[];
}

class GrpcWorkerTensors implements ConnectedTensors {
	readonly #client: ExchangeClient;
	readonly #workerId: string;
	readonly #silenceMs: number;
	readonly #threads: number | undefined;
	readonly #bus: ConnectOptions["bus"];
	readonly #runs = new Map<string, OpenRun>();
	readonly #closed = new AbortController();

	constructor(client: ExchangeClient, { workerId, signal, silenceMs = CALL_SILENCE_MS, threads, bus }: ConnectOptions) {
		this.#client = client;
		this.#workerId = workerId;
		this.#silenceMs = silenceMs;
		this.#threads = threads;
		this.#bus = bus;
		setMaxListeners(0, this.#closed.signal); // one per running call
		signal?.addEventListener("abort", () => void this.close(), { once: true, signal: this.#closed.signal });
	}

	async attach(): Promise<void> {
		const options = { signal: this.#closed.signal, silenceMs: this.#silenceMs };
		await retryCall(() => holdLease(this.#client, this.#workerId, options), options.signal);
	}

	openRun(runId: string, schema: TensorSchema): void {
		const open = this.#runs.get(runId);
		if (open) {
			assertSameSchema(runId, open.schema, schema);
			return;
		}
		setGarbageLimit();
		const source = this.#sourceOf(runId, schema);
		const replica = new RunReplica({ runId, schema, source, threads: this.#threads });
		this.#runs.set(runId, { schema, replica, free: [] });
	}

	closeRun(runId: string): void {
		this.#runs.get(runId)?.replica.close();
		this.#runs.delete(runId);
	}

	parameters(runId: string, version: number): Promise<Float32Array> {
		const run = this.#runs.get(runId);
		if (!run) return Promise.reject(new TailtuneError("protocol", `run ${runId}: not open`));
		return retryCall(() => run.replica.parameters(version), this.#closed.signal);
	}

	gradientBuffer(runId: string, length: number): Float32Array {
		const run = this.#runs.get(runId);
		const taken = takeArray(run?.free, length);
		run?.replica.reuseArray(taken);
		return taken;
	}

	async putAnswer(answer: Answer): Promise<void> {
		const run = this.#runs.get(answer.result.runId);
		const options = { signal: this.#closed.signal, silenceMs: this.#silenceMs };
		// Before it is sent: the update may arrive before the reply.
		if (answer.tensor) run?.replica.keepAnswer(answer.tensor);
		const send = () =>
			sendAll<PutAnswerRequestInput, PutAnswerResponse>(
				(callback) => this.#client.putAnswer(callback),
				toAnswerMessages(answer, run?.schema.hash, run?.replica.fingerprint),
				options,
			);
		try {
			await retryCall(send, options.signal);
		} catch (error) {
			if (!isUnwanted(error)) throw hasDiverged(error) ? this.#readAgain(run, error) : error;
		} finally {
			if (answer.tensor) releaseArrays(run?.free, answer.tensor);
		}
	}

	/** Drops parameters that the coordinator found to be wrong. Returns the error to report. */
	#readAgain(run: OpenRun | undefined, cause: unknown): Refusal {
		run?.replica.drop();
		const found = "the worker's parameters differ from the coordinator's: it reads them again";
		return new Refusal("REFUSAL_DIVERGED", found, { cause });
	}

	fetchModel(modelHash: string, options: FetchModelOptions = {}): Promise<ModelFiles> {
		return fetchModel(this.#client, modelHash, { signal: this.#closed.signal, ...options });
	}

	async close(): Promise<void> {
		this.#closed.abort(new TailtuneError("interrupted", "the connection to the coordinator is closed"));
		this.#client.close();
	}

	/** The state and the updates of a run, as streams of the coordinator. */
	#sourceOf(runId: string, { hash: schemaHash }: TensorSchema): StateSource {
		const requestOf = (parameterVersion: number) => {
			return { protocolVersion: PROTOCOL_VERSION, runId, parameterVersion, schemaHash };
		};
		const { signal: closed } = this.#closed;
		const options = (stop: AbortSignal) => ({ signal: AbortSignal.any([closed, stop]), silenceMs: this.#silenceMs });
		return {
			getState: (wanted, stop) =>
				readAll(this.#client.getState({ ...requestOf(wanted.parameterVersion), ...wanted }), options(stop)),
			getUpdates: ({ parameterVersion, ...counts }, stop) =>
				partsOf(readAll(this.#client.getUpdates({ ...requestOf(parameterVersion), ...counts }), options(stop))),
			watchUpdates: (stop) => this.#bus?.watchUpdates(runId, AbortSignal.any([closed, stop])) ?? watchNothing(),
		};
	}
}

async function* partsOf(messages: AsyncIterable<GetUpdatesResponse>): AsyncGenerator<UpdatePart> {
	for await (const { part } of messages) yield part ?? { header: null, chunk: null, rows: [] };
}
