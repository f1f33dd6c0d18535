import { Leases } from "../../coordinator/exchange/grpc-leases.ts";
import { Uploads } from "../../coordinator/exchange/grpc-uploads.ts";
import { createMemoryTensors } from "../../coordinator/exchange/memory-tensors.ts";
import { ServedRuns, staleVersion } from "../../coordinator/exchange/served-runs.ts";
import type { PutGradientRequest } from "../../proto/gen/tailtune/v1/PutGradientRequest.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { CoordinatorTensors, WorkerTensors } from "../../shared/exchange/tensor-exchange.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { tensorParts } from "../../shared/exchange/tensor-stream.ts";
import type { WorkItem } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";
import { PROTOCOL_VERSION } from "../../shared/rpc/service.ts";
import type { RunConnection } from "../../shared/worker-port.ts";
import type { Node, World } from "./world.ts";

/** What a coordinator must be told of by its server. */
interface ServerEvents {
	readonly isExpected: (itemKey: string) => boolean;
	readonly onWorkerConnected: (workerId: string) => void;
	readonly onWorkerLost: (workerId: string) => void;
}

/** The coordinator's end: the real keeper of versions, uploads and leases, without HTTP/2 around them. */
export class RpcServer {
	readonly node: Node;
	readonly exchange = createMemoryTensors();
	readonly runs = new ServedRuns();
	readonly uploads: Uploads;
	readonly leases: Leases;

	constructor(node: Node, { isExpected, ...events }: ServerEvents) {
		this.node = node;
		this.uploads = new Uploads({
			runs: this.runs,
			exchange: this.exchange,
			isExpected: (_, key) => isExpected(key),
			clock: node.clock,
		});
		this.leases = new Leases(events);
	}

	readonly tensors: CoordinatorTensors = {
		openRun: (runId, schema) => {
			this.exchange.openRun(runId, schema);
			this.runs.open(runId, schema);
		},
		closeRun: (runId) => {
			this.runs.close(runId);
			this.exchange.closeRun(runId);
		},
		publishParameters: async (runId, version, parameters) => {
			this.runs.publish(runId, version, parameters);
			await this.exchange.publishParameters(runId, version, parameters);
		},
		dropParameters: async (runId, version) => {
			this.runs.drop(runId, version);
			await this.exchange.dropParameters(runId, version);
		},
		lendGradientBuffers: (runId, buffers) => this.exchange.lendGradientBuffers(runId, buffers),
		hasGradient: (runId, key) => this.exchange.hasGradient(runId, key),
		takeGradient: (runId, key) => this.exchange.takeGradient(runId, key),
	};
}

/** As in worker/exchange/retry.ts. */
const RETRIES = 5;
const FIRST_WAIT_MS = 100;
/** A call that nothing is heard of for so long is given up. */
const DEADLINE_MS = 5_000;
/** A stream to a host that is out of reach is taken for broken after so long. */
const KEEPALIVE_MS = 4_000;
const REATTACH_MS = 500;
const TOO_LATE = new Set(["REFUSAL_UNKNOWN_RUN", "REFUSAL_STALE_VERSION", "REFUSAL_NOT_EXPECTED"]);

const offline = () => new TailtuneError("offline", "gRPC UNAVAILABLE: no connection");

/** A worker's way to a coordinator, at the mercy of the network between them. */
export class RpcConnection implements RunConnection {
	readonly #node: Node;
	readonly #server: RpcServer;
	readonly #model: ModelFiles;
	readonly #schemas = new Map<string, TensorSchema>();
	readonly #free: Float32Array[] = [];
	#current: { readonly version: number; readonly parameters: Float32Array } | undefined;
	#isClosed = false;
	#endLease = () => {};

	constructor(node: Node, server: RpcServer, model: ModelFiles) {
		this.#node = node;
		this.#server = server;
		this.#model = model;
	}

	/** Dials and holds a stream as long as the worker lives. @throws TailtuneError "offline" */
	async open(): Promise<void> {
		await this.#retry(() => this.#attach());
	}

	openModel(): Promise<ModelFiles> {
		return this.#retry(() => this.#call(async () => this.#model));
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		this.#endLease();
	}

	readonly tensors: WorkerTensors = {
		openRun: (runId, schema) => void this.#schemas.set(runId, schema),
		closeRun: (runId) => void this.#schemas.delete(runId),
		parameters: async (runId, version) => {
			if (this.#current?.version === version) return this.#current.parameters;
			const parameters = await this.#retry(() => this.#call(() => this.#fetch(runId, version)));
			this.#current = { version, parameters };
			return parameters;
		},
		// As from a pool: it holds what was there before.
		gradientBuffer: (_, length) => this.#free.pop() ?? new Float32Array(length).fill(7),
		putGradient: async (runId, item, gradient) => {
			try {
				await this.#retry(() => this.#call(() => this.#upload(runId, item, gradient)));
			} catch (error) {
				if (!(error instanceof Refusal && TOO_LATE.has(error.reason))) throw error;
			} finally {
				this.#free.push(gradient);
			}
		},
	};

	get #world(): World {
		return this.#node.world;
	}

	get #isConnected(): boolean {
		return this.#node.isReachable("rpc") && this.#server.node.isReachable("rpc");
	}

	/** A call that arrives, or not; one that did may have its answer lost. */
	async #call<Result>(serve: () => Promise<Result>): Promise<Result> {
		const { random, noise } = this.#world;
		await this.#hop();
		const result = await serve();
		await this.#hop();
		if (random.chance(noise.lost)) throw offline();
		return result;
	}

	async #hop(): Promise<void> {
		const { random, noise } = this.#world;
		await this.#world.sleep(random.wait(noise.delayMs));
		if (this.#node.isDead) await new Promise(() => {});
		if (this.#isConnected) return;
		// Refused at once, or silence.
		await this.#node.sleep(random.chance(0.5) ? 1 : DEADLINE_MS);
		throw offline();
	}

	async #retry<Result>(call: () => Promise<Result>): Promise<Result> {
		for (let tries = 0; ; tries++) {
			try {
				return await call();
			} catch (error) {
				const isOffline = error instanceof TailtuneError && error.code === "offline";
				if (this.#isClosed || !isOffline || tries === RETRIES) throw error;
				await this.#node.sleep(FIRST_WAIT_MS * 2 ** tries);
			}
		}
	}

	/** Half now and half later, as chunks are: of a version dropped meanwhile nothing goes out. */
	async #fetch(runId: string, version: number): Promise<Float32Array> {
		const schemaHash = this.#schemas.get(runId)?.hash ?? "";
		const served = this.#server.runs.find({ runId, parameterVersion: version, schemaHash }).version;
		const half = served.parameters.length >> 1;
		const parameters = served.parameters.slice();
		await this.#world.sleep(this.#world.random.wait(this.#world.noise.delayMs));
		if (served.ended.signal.aborted) throw staleVersion(runId, version);
		parameters.set(served.parameters.subarray(half), half);
		return parameters;
	}

	async #upload(
		runId: string,
		{ kind, parameterVersion, part }: Pick<WorkItem, "kind" | "parameterVersion" | "part">,
		gradient: Float32Array,
	): Promise<void> {
		const schema = this.#schemas.get(runId);
		const name = { runId, workerId: this.#node.name, kind, parameterVersion, part };
		const header = {
			...name,
			protocolVersion: PROTOCOL_VERSION,
			schemaHash: schema?.hash ?? "",
			byteLength: gradient.length * 4,
		};
		let interruption: Error | undefined;
		const interrupt = (error: Error) => {
			interruption = error;
		};
		const { random, noise } = this.#world;
		const send = async function* (this: RpcConnection): AsyncGenerator<PutGradientRequest> {
			yield { header };
			for (const part of tensorParts(gradient, "f32")) {
				await this.#world.sleep(random.wait(noise.delayMs));
				if (interruption) throw interruption;
				if (!this.#isConnected) throw offline();
				yield part;
			}
		};
		await this.#server.uploads.receive(send.call(this), interrupt);
	}

	async #attach(): Promise<void> {
		await this.#hop();
		const cutOff = new AbortController();
		const request = { protocolVersion: PROTOCOL_VERSION, workerId: this.#node.name };
		const stream = this.#server.leases.attach(request, cutOff.signal);
		await stream.next();
		const ended = stream.next();
		this.#endLease = () => cutOff.abort();
		this.#watchLease(cutOff, ended);
	}

	/** The stream breaks with its ends, or when nothing goes over it for a while; then it is opened again. */
	#watchLease(cutOff: AbortController, ended: Promise<unknown>): void {
		const look = (wasConnected: boolean): (() => void) =>
			this.#world.clock.schedule(() => {
				if (cutOff.signal.aborted || this.#isClosed) return;
				if (wasConnected || this.#isConnected) cancel = look(this.#isConnected);
				else cutOff.abort();
			}, KEEPALIVE_MS);
		let cancel = look(true);
		void ended.then(async () => {
			cancel();
			if (this.#isClosed || this.#node.isDead) return;
			await this.#node.sleep(REATTACH_MS);
			while (!this.#isClosed && !this.#server.node.isDead) {
				const isBack = await this.#attach().then(
					() => true,
					() => false,
				);
				if (isBack) return;
				await this.#node.sleep(REATTACH_MS);
			}
		});
		// Where the process dies its host closes the stream.
		const forget = this.#node.whenKilled(() => this.#world.clock.schedule(() => cutOff.abort(), this.#node.closeMs));
		void ended.then(forget);
	}
}
