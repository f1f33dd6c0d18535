import type { Bus } from "../../shared/bus/bus.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { RunningWorker } from "../../shared/worker-port/running-worker.ts";
import { startWorker } from "../../worker/run/lifecycle.ts";
import { info } from "../worker/run/fake-engines.ts";
import { faultyBus } from "./faulty-bus.ts";
import type { Mutation } from "./mutation.ts";
import { RpcConnection } from "./rpc.ts";
import type { RpcServer } from "./rpc-server.ts";
import type { UpdateFault } from "./state-source.ts";
import { createToyEngines } from "./toy-engines.ts";
import { toyModel } from "./toy-run.ts";
import { Node, type World } from "./world.ts";

/** A simulated worker process. */
export class WorkerProcess {
	readonly node: Node;
	/** Number of computations that will fail. */
	engineFaults = 0;
	/** Fault of the next updates that arrive. */
	updateFault: UpdateFault | undefined;
	/** Number of updates that have this fault. */
	updateFaults = 0;
	/** The newest connection. */
	#connection: RpcConnection | undefined;
	#starting: Promise<RunningWorker> | undefined;

	constructor(name: string, world: World) {
		this.node = new Node(name, world);
		world.log(`${name} starts`);
	}

	/**
	 * Joins and works until it is stopped. Rejects if the worker fails.
	 * @param dial returns the server at an address, if there is one
	 */
	async run(shared: Bus, dial: (address: string) => RpcServer | undefined, mutation: Mutation): Promise<void> {
		const { node } = this;
		const own = faultyBus(shared, node);
		this.#starting = startWorker(
			{
				bus: mutation.ofWorkerBus?.(own) ?? own,
				connect: async ({ tensorsAddress }, _, signal) => {
					const server = dial(tensorsAddress);
					if (!server) throw new TailtuneError("offline", `${tensorsAddress}: no server`);
					const connection = new RpcConnection(node, server, {
						model: toyModel,
						bus: own,
						ofSource: mutation.ofSource,
						takeFault: () => this.#takeUpdateFault(),
					});
					this.#connection = connection;
					signal.addEventListener("abort", () => void connection.close());
					await connection.open();
					return connection;
				},
				engine: { engine: "auto", backend: "auto", threads: 1 },
				featureMemoryBytes: 1e6,
			},
			{
				workerId: node.name,
				clock: node.clock,
				openEngines: async () => createToyEngines(node, () => this.engineFaults > 0 && this.engineFaults-- > 0),
				describeEngines: async () => ({ trunk: info, tail: info }),
			},
		);
		const running = await this.#starting;
		await running.stopped;
	}

	/** Changes one bit of the replica that it computes with. */
	flipBit(): void {
		this.#connection?.flipBit();
	}

	#takeUpdateFault(): UpdateFault | undefined {
		if (this.updateFaults === 0) return undefined;
		this.updateFaults--;
		this.node.world.count(`${this.updateFault} update`);
		return this.updateFault;
	}

	/** Ctrl-C. A worker that is joining joins first. */
	async stop(): Promise<void> {
		const running = await this.#starting;
		await running?.stop();
		if (!this.node.isDead) this.node.kill(1);
	}
}
