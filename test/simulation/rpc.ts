import type { PutAnswerRequest } from "../../proto/gen/tailtune/v1/PutAnswerRequest.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { Answer, WorkerTensors } from "../../shared/exchange/tensor-exchange.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { hasDiverged, isUnwanted } from "../../shared/rpc/refusal.ts";
import { PROTOCOL_VERSION } from "../../shared/rpc/service.ts";
import type { RunConnection } from "../../shared/worker-port/running-worker.ts";
import { toAnswerMessages } from "../../worker/exchange/answer-stream.ts";
import { RunReplica, type StateSource } from "../../worker/exchange/run-replica.ts";
import { offline, RpcLink } from "./rpc-link.ts";
import type { RpcServer } from "./rpc-server.ts";
import type { Node, World } from "./world.ts";

const REATTACH_MS = 500;
/** Longest delay of a duplicate answer. */
const LATE_MS = 30_000;

interface OpenRun {
	readonly schema: TensorSchema;
	readonly replica: RunReplica;
}

/** A worker's connection to a coordinator over a faulty network. */
export class RpcConnection implements RunConnection {
	readonly #node: Node;
	readonly #server: RpcServer;
	readonly #model: ModelFiles;
	readonly #link: RpcLink;
	readonly #runs = new Map<string, OpenRun>();
	readonly #free: Float32Array[] = [];

	constructor(node: Node, server: RpcServer, model: ModelFiles) {
		this.#node = node;
		this.#server = server;
		this.#model = model;
		this.#link = new RpcLink(node, server);
	}

	/** Connects and holds a stream open until the worker ends. @throws TailtuneError "offline" */
	async open(): Promise<void> {
		await this.#link.retry(() => this.#attach());
	}

	openModel(): Promise<ModelFiles> {
		return this.#link.retry(() => this.#link.call(async () => this.#model));
	}

	async close(): Promise<void> {
		this.#link.close();
		for (const { replica } of this.#runs.values()) replica.drop();
	}

	readonly tensors: WorkerTensors = {
		openRun: (runId, schema) => {
			if (!this.#runs.has(runId)) this.#runs.set(runId, this.#openRun(runId, schema));
		},
		closeRun: (runId) => {
			this.#runs.get(runId)?.replica.drop();
			this.#runs.delete(runId);
		},
		parameters: async (runId, version) => {
			const run = this.#runs.get(runId);
			if (!run) throw new TailtuneError("protocol", `run ${runId}: not open`);
			return this.#link.retry(() => run.replica.parameters(version));
		},
		// As from a pool: the buffer contains old numbers.
		gradientBuffer: (_, length) => {
			const used = this.#free.pop();
			return used?.length === length ? used : new Float32Array(length).fill(7);
		},
		putAnswer: (answer) => this.#putAnswer(answer),
	};

	get #world(): World {
		return this.#node.world;
	}

	#openRun(runId: string, schema: TensorSchema): OpenRun {
		const requestOf = (parameterVersion: number) => {
			return { protocolVersion: PROTOCOL_VERSION, runId, parameterVersion, schemaHash: schema.hash };
		};
		const { runs } = this.#server;
		const source: StateSource = {
			getState: (version) => {
				this.#world.log(`${this.#node.name}: reads the state of version ${version}`);
				return this.#link.read(() => runs.sendState(requestOf(version)));
			},
			followUpdates: (version, stop) =>
				this.#link.read((cutOff) => runs.followUpdates(requestOf(version), cutOff), stop),
		};
		return { schema, replica: new RunReplica({ runId, schema, source, clock: this.#node.clock }) };
	}

	async #putAnswer(answer: Answer): Promise<void> {
		const { result, tensor } = answer;
		const run = this.#runs.get(result.runId);
		this.#world.log(`${this.#node.name}: answers item ${result.serial}${result.failure ? ": it failed" : ""}`);
		this.#maybeRepeat(answer);
		try {
			await this.#link.retry(() => this.#link.call(() => this.#upload(answer, run?.replica.fingerprint)));
		} catch (error) {
			if (hasDiverged(error)) run?.replica.drop();
			if (!isUnwanted(error)) throw error;
		} finally {
			if (tensor) this.#free.push(tensor);
		}
	}

	/** Sometimes sends a copy of an answer later, as if the worker had computed the item twice. */
	#maybeRepeat({ result, logits, tensor }: Answer): void {
		const { random, noise, clock } = this.#world;
		if (!random.chance(noise.duplicated)) return;
		const copy = { result, logits, ...(tensor && { tensor: tensor.slice() }) };
		const fingerprint = this.#runs.get(result.runId)?.replica.fingerprint;
		clock.schedule(() => void this.#upload(copy, fingerprint).catch(() => {}), random.wait(LATE_MS));
	}

	async #upload(answer: Answer, fingerprint: number | undefined): Promise<void> {
		let interruption: Error | undefined;
		const interrupt = (error: Error) => {
			interruption = error;
		};
		const { random, noise } = this.#world;
		const send = async function* (this: RpcConnection): AsyncGenerator<PutAnswerRequest> {
			const schemaHash = this.#runs.get(answer.result.runId)?.schema.hash;
			for (const message of toAnswerMessages(answer, schemaHash, fingerprint)) {
				if (!message.header) await this.#world.sleep(random.wait(noise.delayMs));
				if (interruption) throw interruption;
				if (!this.#link.isConnected) throw offline();
				yield message as PutAnswerRequest;
			}
		};
		await this.#server.uploads.receive(send.call(this), interrupt);
	}

	async #attach(): Promise<void> {
		await this.#link.hop();
		const { broken } = this.#link;
		const stream = this.#server.leases.attach({ protocolVersion: PROTOCOL_VERSION, workerId: this.#node.name }, broken);
		await stream.next();
		void stream.next().then(() => this.#attachAgain());
	}

	/** Opens the stream again after the connection broke. */
	async #attachAgain(): Promise<void> {
		while (!this.#link.isClosed && !this.#node.isDead && !this.#server.node.isDead) {
			await this.#node.sleep(REATTACH_MS);
			if (this.#link.isClosed) return;
			const isBack = await this.#attach().then(
				() => true,
				() => false,
			);
			if (isBack) return;
		}
	}
}
