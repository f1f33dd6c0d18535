import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryBus } from "../../coordinator/cluster/memory-bus.ts";
import { CHECKPOINT_FILE } from "../../coordinator/run-folder/run-folder.ts";
import type { Bus } from "../../shared/bus/bus.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { CoordinatorProcess } from "./coordinator-process.ts";
import type { Mutation } from "./mutation.ts";
import { createUndisturbed, type Fault, type Plan, type Schedule } from "./schedule.ts";
import { countOpenFiles } from "./simulated-files.ts";
import { WorkerProcess } from "./worker-process.ts";
import { World } from "./world.ts";

/** The same as over NATS. */
const TIMING = { ackWaitMs: 5000, heartbeatLimitMs: 5000 };
/** A longer run counts as stuck. */
const LIMIT_MS = 10 * 60_000;
/** Interval in which a worker is added if there are none. */
const RESCUE_MS = 10_000;

export interface SimulationOptions {
	readonly isTraced?: boolean;
	readonly mutation?: Mutation;
	/** A run folder to resume. Unset: a new run. */
	readonly from?: string;
	/** Called with the run folder after each new checkpoint. */
	readonly onCheckpoint?: (folder: string) => void;
}

/** Outcome of a simulation. */
export interface Outcome {
	/** Fault that was found; undefined if there is none. */
	readonly fault?: string | undefined;
	readonly trace: readonly string[];
	/** Number of events by name: refusals, gaps of the log and bits that were flipped. */
	readonly counts: ReadonlyMap<string, number>;
	/** Virtual milliseconds until the run ended. */
	readonly ms: number;
}

const expectedHashes = new Map<string, Promise<string>>();

/**
 * Runs a schedule and checks that it ends with the results of an undisturbed run, each part counted once, nothing left.
 */
export async function simulate(schedule: Schedule, options: SimulationOptions = {}): Promise<Outcome> {
	const expected = await expectedOf(schedule.plan);
	return inFolder(async (folder) => {
		if (options.from !== undefined) await cp(options.from, folder, { recursive: true });
		const simulation = new Simulation(schedule, folder, options);
		const fault = await simulation.run(expected);
		return { fault, trace: simulation.world.trace, counts: simulation.world.counts, ms: simulation.doneMs };
	});
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
	const folder = await mkdtemp(join(tmpdir(), "tailtune-simulation-"));
	try {
		return await work(folder);
	} finally {
		await rm(folder, { recursive: true });
	}
}

function expectedOf(plan: Plan): Promise<string> {
	// The results don't depend on the frequency of checkpoints, the number of workers and the length of the log.
	const key = JSON.stringify({ ...plan, workers: 0, checkpointEvery: 0, mostLogBytes: 0 });
	const known = expectedHashes.get(key);
	if (known) return known;
	const hash = inFolder(async (folder) => {
		const alone = new Simulation(createUndisturbed(plan), folder, {});
		const fault = await alone.run(undefined);
		if (fault !== undefined) throw new Error(`the undisturbed run: ${fault}`);
		return alone.hash;
	});
	expectedHashes.set(key, hash);
	return hash;
}

class Simulation {
	readonly world: World;
	hash = "";
	doneMs = 0;
	readonly #schedule: Schedule;
	readonly #mutation: Mutation;
	readonly #bus: Bus;
	readonly #workers: WorkerProcess[] = [];
	/** Coordinators by their announced address. */
	readonly #coordinators = new Map<string, CoordinatorProcess>();
	#coordinator: CoordinatorProcess;
	#workersStarted = 0;
	/** Folder of the run, shared by its coordinators. */
	readonly #folder: string;
	#isDone = false;
	#error: unknown;

	constructor(schedule: Schedule, folder: string, options: SimulationOptions) {
		const { isTraced = false, mutation = {}, onCheckpoint = () => {} } = options;
		this.#folder = folder;
		this.world = new World(schedule.seed, schedule.noise, isTraced);
		this.world.isBestLate = mutation.isBestLate ?? false;
		this.world.onWritten = (file) => {
			if (file === join(folder, CHECKPOINT_FILE)) onCheckpoint(folder);
		};
		this.#schedule = schedule;
		this.#mutation = mutation;
		this.#bus = createMemoryBus({ timing: TIMING, clock: this.world.clock });
		this.#coordinator = this.#startCoordinator();
	}

	/** Runs the simulation and returns the fault that was found. */
	async run(expected: string | undefined): Promise<string | undefined> {
		const { plan, faults } = this.#schedule;
		const { clock } = this.world;
		for (let i = 0; i < plan.workers; i++) clock.schedule(() => this.#addWorker(), this.world.random.wait(2_000));
		for (const fault of faults) clock.schedule(() => this.#cause(fault), fault.atMs);
		const rescue = () => {
			if (this.#isDone) return;
			if (this.#runningWorkers().length === 0) this.#addWorker();
			clock.schedule(rescue, RESCUE_MS);
		};
		clock.schedule(rescue, RESCUE_MS);
		await clock.runUntil(() => this.#isDone, LIMIT_MS);
		this.doneMs = clock.now;
		return this.#findFault(expected);
	}

	async #findFault(expected: string | undefined): Promise<string | undefined> {
		if (this.#error !== undefined) return `ended with ${describeError(this.#error)}`;
		if (!this.#isDone) return `not done after ${LIMIT_MS / 60_000} minutes`;
		this.#coordinator.server.oracle.compare();
		const faults = [...this.#coordinators.values()].flatMap(({ fault }) => fault ?? []);
		if (faults[0] !== undefined) return faults[0];
		if (expected !== undefined && this.hash !== expected) return "ended with other results than an undisturbed run";
		return this.#findLeftover();
	}

	/** Stops all processes and returns a description of resources that are left. */
	async #findLeftover(): Promise<string | undefined> {
		const { clock } = this.world;
		const { server } = this.#coordinator;
		const held = this.#coordinator.leftover();
		if (held !== undefined) return held;
		let isOver = false;
		const end = async () => {
			await this.#coordinator.close();
			await Promise.all(this.#runningWorkers().map((worker) => worker.stop()));
			await this.#bus.close();
			isOver = true;
		};
		end().catch((error) => {
			this.#error = error;
		});
		const isInTime = await clock.runUntil(() => isOver || this.#error !== undefined, clock.now + 10 * 60_000);
		if (this.#error !== undefined) return `while it closed: ${describeError(this.#error)}`;
		if (!isInTime) return "not closed after 10 minutes";
		await clock.runUntil(() => false, clock.now + 10 * 60_000);
		if (clock.pending > 0) return `${clock.pending} timers left`;
		const open = countOpenFiles(this.#coordinator.node);
		if (open > 0) return `${open} files left open`;
		const { states, updates } = server.runs.held(this.#coordinator.runId);
		if (states + updates + server.streams > 0)
			return `${states} states, ${updates} updates, ${server.streams} streams left`;
		return server.uploads.underWay > 0 ? `${server.uploads.underWay} uploads left` : undefined;
	}

	#runningWorkers(): WorkerProcess[] {
		return this.#workers.filter(({ node }) => !node.isDead);
	}

	#addWorker(): void {
		if (this.#isDone) return;
		const worker = new WorkerProcess(`w${this.#workersStarted++}`, this.world);
		this.#workers.push(worker);
		const dial = (address: string) => this.#coordinators.get(address)?.server;
		worker.run(this.#bus, dial, this.#mutation).catch((error) => this.#fail(error));
	}

	#startCoordinator(): CoordinatorProcess {
		const abandoned = [...this.#coordinators.values()].map(({ runId }) => runId);
		const coordinator = new CoordinatorProcess(this.world, abandoned.length, this.#schedule.plan, this.#mutation);
		this.#coordinators.set(coordinator.node.name, coordinator);
		const run = async () => {
			this.hash = await coordinator.run(this.#bus, this.#schedule.plan, abandoned, this.#folder);
			this.#isDone = true;
			this.world.log(`${coordinator.node.name}: done`);
		};
		const restart = async () => {
			await coordinator.close();
			coordinator.node.kill(1);
			this.#coordinator = this.#startCoordinator();
		};
		run()
			.catch((error) => (isInterruption(error) ? restart() : Promise.reject(error)))
			.catch((error) => this.#fail(error));
		return coordinator;
	}

	#fail(error: unknown): void {
		this.#error ??= error;
		this.#isDone = true;
	}

	#cause(fault: Fault): void {
		if (this.#isDone) return;
		const { kind } = fault;
		if (kind === "join") this.#addWorker();
		else if (kind.includes("coordinator")) this.#causeToCoordinator(fault);
		else this.#causeToWorker(fault);
	}

	#causeToWorker({ kind, ms, ...fault }: Fault): void {
		const running = this.#runningWorkers();
		const worker = running[fault.worker % running.length];
		if (!worker) return;
		const { node } = worker;
		this.world.log(`${node.name}: ${kind} ${ms}`);
		if (kind === "kill") node.kill(1);
		if (kind === "vanish") node.kill(ms);
		if (kind === "stop") worker.stop().catch((error) => this.#fail(error));
		if (kind === "freeze") node.freeze(ms);
		if (kind === "slow") node.slowness = 1 + ms / 1000;
		if (kind === "break engine") worker.engineFaults += 1;
		if (kind === "flip bit") worker.flipBit();
		if (kind === "repeat update" || kind === "skip update") {
			worker.updateFault = kind === "repeat update" ? "repeat" : "skip";
			worker.updateFaults = ms < 8_000 ? 1 : 3;
		}
		if (kind === "cut nats" || kind === "cut both") node.cut("nats", ms);
		if (kind === "cut rpc" || kind === "cut both") node.cut("rpc", ms);
	}

	#causeToCoordinator({ kind, ms }: Fault): void {
		const { node } = this.#coordinator;
		if (node.isDead) return;
		this.world.log(`${node.name}: ${kind} ${ms}`);
		if (kind === "cut coordinator nats") node.cut("nats", ms);
		if (kind === "cut coordinator rpc") node.cut("rpc", ms);
		if (kind === "freeze coordinator") node.freeze(ms);
		if (kind === "interrupt coordinator") this.#coordinator.interrupt();
		if (kind !== "kill coordinator") return;
		node.kill(1);
		this.world.clock.schedule(() => {
			this.#coordinator = this.#startCoordinator();
		}, ms);
	}
}

function isInterruption(error: unknown): boolean {
	return error instanceof TailtuneError && error.code === "interrupted";
}

function describeError(error: unknown): string {
	if (error instanceof TailtuneError) return `${error.code}: ${error.message}`;
	return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
