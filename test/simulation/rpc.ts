import type { PutAnswerRequest } from "../../proto/gen/tailtune/v1/PutAnswerRequest.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { releaseArrays, takeArray } from "../../shared/exchange/take-array.ts";
import type { Answer, WorkerTensors } from "../../shared/exchange/tensor-exchange.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { hasDiverged, isUnwanted } from "../../shared/rpc/refusal.ts";
import { PROTOCOL_VERSION } from "../../shared/rpc/service.ts";
import type { RunConnection } from "../../shared/worker-port/running-worker.ts";
import { toAnswerMessages } from "../../worker/exchange/answer-stream.ts";
import { offline, RpcLink } from "./rpc-link.ts";
import type { RpcServer } from "./rpc-server.ts";
import { type ReplicaParts, SimulatedReplica } from "./simulated-replica.ts";
import type { Node, World } from "./world.ts";

const REATTACH_MS = 500;
/** Longest delay of a duplicate answer. */
const LATE_MS = 30_000;

interface OpenRun {
	readonly schema: TensorSchema;
	readonly own: SimulatedReplica;
}

export interface ConnectionParts extends Pick<ReplicaParts, "takeFault" | "ofSource" | "bus"> {
	readonly model: ModelFiles;
}

/** A worker's connection to a coordinator over a faulty network. */
export class RpcConnection implements RunConnection {
	readonly #node: Node;
	readonly #server: RpcServer;
	readonly #parts: ConnectionParts;
	readonly #link: RpcLink;
	readonly #runs = new Map<string, OpenRun>();
	readonly #free: Float32Array[] = [];

	constructor(node: Node, server: RpcServer, parts: ConnectionParts) {
		this.#node = node;
		this.#server = server;
		this.#parts = parts;
		this.#link = new RpcLink(node, server);
	}

	/** Connects and holds a stream open until the worker ends. @throws TailtuneError "offline" */
	async open(): Promise<void> {
		await this.#link.retry(() => this.#attach());
	}

	openModel(): Promise<ModelFiles> {
		return this.#link.retry(() => this.#link.call(async () => this.#parts.model));
	}

	async close(): Promise<void> {
		this.#link.close();
		for (const runId of [...this.#runs.keys()]) this.tensors.closeRun(runId);
	}

	/** Changes one bit of each replica. */
	flipBit(): void {
		for (const { own } of this.#runs.values()) own.flipBit();
	}

	readonly tensors: WorkerTensors = {
		openRun: (runId, schema) => {
			if (this.#runs.has(runId)) return;
			const { takeFault, ofSource, bus } = this.#parts;
			const [node, server, link] = [this.#node, this.#server, this.#link];
			const own = new SimulatedReplica({ node, server, link, bus, runId, schema, takeFault, ofSource });
			this.#runs.set(runId, { schema, own });
		},
		closeRun: (runId) => {
			this.#runs.get(runId)?.own.close();
			this.#runs.delete(runId);
		},
		parameters: async (runId, version) => {
			const run = this.#runs.get(runId);
			if (!run) throw new TailtuneError("protocol", `run ${runId}: not open`);
			return this.#link.retry(() => run.own.read(version));
		},
		gradientBuffer: (_, length) => {
			const taken = takeArray(this.#free, length);
			for (const { own } of this.#runs.values()) own.replica.reuseArray(taken);
			return taken;
		},
		putAnswer: (answer) => this.#putAnswer(answer),
	};

	get #world(): World {
		return this.#node.world;
	}

	async #putAnswer(answer: Answer): Promise<void> {
		const { result, tensor } = answer;
		const run = this.#runs.get(result.runId);
		this.#world.log(`${this.#node.name}: answers item ${result.serial}${result.failure ? ": it failed" : ""}`);
		this.#maybeRepeat(answer, run);
		if (tensor) run?.own.replica.keepAnswer(tensor);
		try {
			await this.#link.retry(() => this.#link.call(this.#upload(answer, run)));
		} catch (error) {
			if (hasDiverged(error)) run?.own.replica.drop();
			if (!isUnwanted(error)) throw error;
		} finally {
			if (tensor) releaseArrays(this.#free, tensor);
		}
	}

	/** Sometimes sends a copy of an answer later, as if the worker had computed the item twice. */
	#maybeRepeat({ result, logits, tensor }: Answer, run: OpenRun | undefined): void {
		const { random, noise, clock } = this.#world;
		if (!random.chance(noise.duplicated)) return;
		const upload = this.#upload({ result, logits, ...(tensor && { tensor: tensor.slice() }) }, run);
		clock.schedule(() => void upload().catch(() => {}), random.wait(LATE_MS));
	}

	/** Returns a function that sends an answer, with the fingerprint that the replica has now. */
	#upload(answer: Answer, run: OpenRun | undefined): () => Promise<void> {
		const fingerprint = run?.own.replica.fingerprint;
		const settle = run && this.#server.oracle.follow(run.own);
		return async () => {
			try {
				await this.#send(answer, run?.schema.hash, fingerprint);
				if (answer.logits.length > 0) settle?.("accepted");
			} catch (error) {
				if (hasDiverged(error)) settle?.("diverged");
				throw error;
			}
		};
	}

	async #send(answer: Answer, schemaHash?: string, fingerprint?: number): Promise<void> {
		let interruption: Error | undefined;
		const interrupt = (error: Error) => {
			interruption = error;
		};
		const { random, noise } = this.#world;
		const send = async function* (this: RpcConnection): AsyncGenerator<PutAnswerRequest> {
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
