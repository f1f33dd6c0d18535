import { type LeaseEvents, Leases } from "../../coordinator/exchange/grpc-leases.ts";
import { Uploads } from "../../coordinator/exchange/grpc-uploads.ts";
import { ServedRuns, staleVersion } from "../../coordinator/exchange/served-runs.ts";
import type { PutAnswerRequest } from "../../proto/gen/tailtune/v1/PutAnswerRequest.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { Answer, WorkerTensors } from "../../shared/exchange/tensor-exchange.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { isUnwanted } from "../../shared/rpc/refusal.ts";
import { PROTOCOL_VERSION } from "../../shared/rpc/service.ts";
import type { RunConnection } from "../../shared/worker-port/running-worker.ts";
import { toAnswerMessages } from "../../worker/exchange/answer-stream.ts";
import type { Node, World } from "./world.ts";

/** The coordinator's end: the real code for versions, uploads and leases, without HTTP/2. */
export class RpcServer {
	readonly node: Node;
	readonly runs = new ServedRuns();
	readonly uploads: Uploads;
	readonly leases: Leases;

	constructor(node: Node, events: LeaseEvents) {
		this.node = node;
		this.uploads = new Uploads({ runs: this.runs, clock: node.clock });
		this.leases = new Leases(events);
	}
}

/** The same as in worker/exchange/retry.ts. */
const RETRIES = 5;
const FIRST_WAIT_MS = 100;
/** Deadline of a call. */
const DEADLINE_MS = 5_000;
/** Time after which a stream to an unreachable host counts as broken. */
const KEEPALIVE_MS = 4_000;
const REATTACH_MS = 500;
/** Longest delay of a duplicate answer. */
const LATE_MS = 30_000;

const offline = () => new TailtuneError("offline", "gRPC UNAVAILABLE: no connection");

/** A worker's connection to a coordinator over a faulty network. */
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

	/** Connects and holds a stream open until the worker ends. @throws TailtuneError "offline" */
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
		// As from a pool: the buffer contains old numbers.
		gradientBuffer: (_, length) => this.#free.pop() ?? new Float32Array(length).fill(7),
		putAnswer: async (answer) => {
			const { result, tensor } = answer;
			this.#world.log(`${this.#node.name}: answers item ${result.serial}${result.failure ? ": it failed" : ""}`);
			this.#maybeRepeat(answer);
			try {
				await this.#retry(() => this.#call(() => this.#upload(answer)));
			} catch (error) {
				if (!isUnwanted(error)) throw error;
			} finally {
				if (tensor) this.#free.push(tensor);
			}
		},
	};

	get #world(): World {
		return this.#node.world;
	}

	get #isConnected(): boolean {
		return this.#node.isReachable("rpc") && this.#server.node.isReachable("rpc");
	}

	/** A call whose request or answer may be lost. */
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
		// The call fails at once, or at its deadline.
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

	/** Copies one half now and the other later, like chunks. Fails if the version is dropped meanwhile. */
	async #fetch(runId: string, version: number): Promise<Float32Array> {
		const schemaHash = this.#schemas.get(runId)?.hash ?? "";
		const served = this.#server.runs.findVersion(runId, version, schemaHash);
		const half = served.parameters.length >> 1;
		const parameters = served.parameters.slice();
		await this.#world.sleep(this.#world.random.wait(this.#world.noise.delayMs));
		if (served.isDropped) throw staleVersion(runId, version);
		parameters.set(served.parameters.subarray(half), half);
		return parameters;
	}

	/** Sometimes sends a copy of an answer later, as if the worker had computed the item twice. */
	#maybeRepeat({ result, logits, tensor }: Answer): void {
		const { random, noise, clock } = this.#world;
		if (!random.chance(noise.duplicated)) return;
		const copy = { result, logits, ...(tensor && { tensor: tensor.slice() }) };
		clock.schedule(() => void this.#upload(copy).catch(() => {}), random.wait(LATE_MS));
	}

	async #upload(answer: Answer): Promise<void> {
		let interruption: Error | undefined;
		const interrupt = (error: Error) => {
			interruption = error;
		};
		const { random, noise } = this.#world;
		const send = async function* (this: RpcConnection): AsyncGenerator<PutAnswerRequest> {
			for (const message of toAnswerMessages(answer, this.#schemas.get(answer.result.runId)?.hash)) {
				if (!message.header) await this.#world.sleep(random.wait(noise.delayMs));
				if (interruption) throw interruption;
				if (!this.#isConnected) throw offline();
				yield message as PutAnswerRequest;
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

	/** Ends the stream when the network was cut for some time, and opens it again. */
	#watchLease(cutOff: AbortController, ended: Promise<unknown>): void {
		const check = (wasConnected: boolean): (() => void) =>
			this.#world.clock.schedule(() => {
				if (cutOff.signal.aborted || this.#isClosed) return;
				if (wasConnected || this.#isConnected) cancel = check(this.#isConnected);
				else cutOff.abort();
			}, KEEPALIVE_MS);
		let cancel = check(true);
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
		// If the process dies, its host closes the stream.
		const forget = this.#node.whenKilled(() => this.#world.clock.schedule(() => cutOff.abort(), this.#node.closeMs));
		void ended.then(forget);
	}
}
