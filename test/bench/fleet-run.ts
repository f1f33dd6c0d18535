import { availableParallelism } from "node:os";
import { join } from "node:path";
import { connectNatsBus } from "../../shared/bus/nats/nats-bus.ts";
import { startNatsServer, type TestServer } from "../nats-server.ts";
import type { CoordinatorRequest, MeasuredSteps, WarmedUp } from "./fleet-coordinator.ts";
import { FleetProcess, findProcess, readBusyMs, readProcessorTime } from "./fleet-process.ts";
import type { FleetSettings } from "./fleet-settings.ts";
import type { WorkerBytes, WorkerRequest } from "./fleet-worker.ts";

/** Measured steps of a fleet, and what one of them costs. Processor times are in milliseconds. */
export interface FleetFigures extends WarmedUp, MeasuredSteps {
	readonly coordinator: number;
	/** Of the coordinator's JavaScript thread. */
	readonly coordinatorThread: number;
	readonly nats: number;
	/** Mean of all workers. */
	readonly worker: number;
	/** Share of the machine's processor time that other processes used: a measurement needs a quiet machine. */
	readonly others: number;
	/** Bytes per worker, both ways. */
	readonly bytes: WorkerBytes;
}

/** A nats-server and worker processes, each a whole worker whose engine waits like a GPU. */
export class Fleet {
	readonly #server: TestServer;
	readonly #storeDir: string;
	readonly #workers: readonly FleetProcess[];

	/** Starts a fleet and waits until all workers have joined. @param folder for the files of NATS */
	static async open(folder: string, count: number): Promise<Fleet> {
		const storeDir = join(folder, `fleet-${count}`);
		const server = await startNatsServer({ storeDir });
		const workers = Array.from({ length: count }, () => new FleetProcess("fleet-worker.ts"));
		const fleet = new Fleet(server, storeDir, workers);
		try {
			// A coordinator creates the streams, for which workers wait.
			await (await connectNatsBus({ servers: server.url, role: "coordinator" })).close();
			await fleet.#askAll({ nats: server.url });
			return fleet;
		} catch (error) {
			await fleet.close();
			throw error;
		}
	}

	private constructor(server: TestServer, storeDir: string, workers: readonly FleetProcess[]) {
		this.#server = server;
		this.#storeDir = storeDir;
		this.#workers = workers;
	}

	/** Takes steps of a run of its own, with a coordinator in a new process. */
	async measure(settings: FleetSettings): Promise<FleetFigures> {
		const coordinator = new FleetProcess("fleet-coordinator.ts");
		const ask = <Value>(request: CoordinatorRequest) => coordinator.ask<Value>(request);
		try {
			await this.#askAll({ next: settings });
			const warmedUp = await ask<WarmedUp>({ nats: this.#server.url, workers: this.#workers.length, settings });
			const nats = await findProcess("nats-server", this.#storeDir);
			const before = await this.#read(coordinator.pid, nats);
			const measured = await ask<MeasuredSteps>({ measure: true });
			const after = await this.#read(coordinator.pid, nats);
			await ask({ close: true });
			return { ...warmedUp, ...measured, ...this.#costsOf(before, after, measured) };
		} finally {
			await coordinator.kill();
		}
	}

	async close(): Promise<void> {
		await Promise.all(this.#workers.map((worker) => worker.kill()));
		await this.#server.stop();
	}

	#askAll<Value>(request: WorkerRequest): Promise<Value[]> {
		return Promise.all(this.#workers.map((worker) => worker.ask<Value>(request)));
	}

	async #read(coordinator: number, nats: number): Promise<Reading> {
		const pids = [coordinator, nats, ...this.#workers.map(({ pid }) => pid)];
		const [own, ofNats, ...ofWorkers] = await Promise.all(pids.map(readProcessorTime));
		const bytes = await this.#askAll<WorkerBytes>({ bytes: true });
		return {
			...{ coordinator: own?.all ?? 0, coordinatorThread: own?.first ?? 0, nats: ofNats?.all ?? 0 },
			worker: meanOf(ofWorkers.map(({ all }) => all)),
			machine: await readBusyMs(),
			...{ tensors: meanOf(bytes.map(({ tensors }) => tensors)), bus: meanOf(bytes.map(({ bus }) => bus)) },
		};
	}

	#costsOf(before: Reading, after: Reading, { stepMs, seconds }: MeasuredSteps) {
		const of = (name: keyof Reading) => (after[name] - before[name]) / stepMs.length;
		const [coordinator, nats, worker] = [of("coordinator"), of("nats"), of("worker")];
		const others = Math.max(0, of("machine") - coordinator - nats - this.#workers.length * worker);
		const allMs = (1000 * seconds * availableParallelism()) / stepMs.length;
		return {
			...{ coordinator, coordinatorThread: of("coordinatorThread"), nats, worker, others: others / allMs },
			bytes: { tensors: of("tensors"), bus: of("bus") },
		};
	}
}

type Reading = Record<"coordinator" | "coordinatorThread" | "nats" | "worker" | "machine" | "tensors" | "bus", number>;

function meanOf(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0) / values.length;
}
