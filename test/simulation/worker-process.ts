import type { Bus } from "../../shared/bus/bus.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { RunningWorker } from "../../shared/worker-port.ts";
import { startWorker } from "../../worker/run/lifecycle.ts";
import { fakeModel, info } from "../worker/run/fake-engines.ts";
import { faultyBus } from "./faulty-bus.ts";
import type { Mutation } from "./mutation.ts";
import { RpcConnection, type RpcServer } from "./rpc.ts";
import { toyEngines } from "./toy-engines.ts";
import { Node, type World } from "./world.ts";

/** A worker from its start to its end or its death. */
export class WorkerProcess {
	readonly node: Node;
	/** Faults that its engine still has to show. */
	engineFaults = 0;
	#starting: Promise<RunningWorker> | undefined;

	constructor(name: string, world: World) {
		this.node = new Node(name, world);
		world.log(`${name} starts`);
	}

	/**
	 * Joins and serves until it is stopped. Rejects where the worker ends by an error.
	 * @param dial the server at an address, where there is one
	 */
	async run(shared: Bus, dial: (address: string) => RpcServer | undefined, mutation: Mutation): Promise<void> {
		const { node } = this;
		const own = faultyBus(shared, node);
		this.#starting = startWorker(
			{
				bus: mutation.ofWorkerBus?.(own) ?? own,
				connect: async ({ tensorsAddress }, _, signal) => {
					const server = dial(tensorsAddress);
					if (!server) throw new TailtuneError("offline", `${tensorsAddress}: nobody answers`);
					const connection = new RpcConnection(node, server, fakeModel);
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
				openEngines: async () => toyEngines(node, () => this.engineFaults > 0 && this.engineFaults-- > 0),
				describeEngines: async () => ({ trunk: info, tail: info }),
			},
		);
		const running = await this.#starting;
		await running.stopped;
	}

	/** Ctrl-C, which one that is joining heeds when it has. */
	async stop(): Promise<void> {
		const running = await this.#starting;
		await running?.stop();
		if (!this.node.isDead) this.node.kill(1);
	}
}
