import type { AuditLine } from "../../coordinator/results/audit.ts";
import type { TrainingState } from "../../coordinator/run/checkpoint.ts";
import { announceRun } from "../../coordinator/run/cluster.ts";
import type { Bus } from "../../shared/bus/bus.ts";
import { createMemoryBus } from "../../shared/bus/memory-bus.ts";
import type { RunningWorker } from "../../shared/embedded-worker.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { startWorker } from "../../worker/lifecycle.ts";
import { fakeModel, headRun, info } from "../worker/fake-engines.ts";
import { faultyBus, forgetfulBus } from "./faulty-bus.ts";
import { RpcConnection, RpcServer } from "./rpc.ts";
import { type Fault, type Plan, type Schedule, undisturbed } from "./schedule.ts";
import { toyEngines } from "./toy-engines.ts";
import { runPhases, toyContext, toyState } from "./toy-run.ts";
import { Node, World } from "./world.ts";

/** As over NATS. */
const TIMING = { ackWaitMs: 5000, heartbeatLimitMs: 5000 };
/** A run that takes longer than that has got stuck. */
const LIMIT_MS = 10 * 60_000;
/** Somebody looks after a cluster without workers, sooner or later. */
const RESCUE_MS = 10_000;

/** Something wrong in the product, put in on purpose. */
export interface Mutation {
	readonly ofCoordinatorBus?: (bus: Bus) => Bus;
	readonly ofWorkerBus?: (bus: Bus) => Bus;
	/** The coordinator isn't told of a broken connection. */
	readonly ignoresBrokenStreams?: boolean;
}

export interface SimulationOptions {
	readonly isTraced?: boolean;
	readonly mutation?: Mutation;
}

/** How a simulation ended. */
export interface Outcome {
	/** What is wrong; undefined where nothing is. */
	readonly fault?: string | undefined;
	readonly trace: readonly string[];
	/** Virtual milliseconds until the run was done. */
	readonly ms: number;
}

const expectedHashes = new Map<string, Promise<string>>();

/** Runs a schedule. It must end, with the numbers of an undisturbed run, each part counted once and nothing left over. */
export async function simulate(schedule: Schedule, options: SimulationOptions = {}): Promise<Outcome> {
	const simulation = new Simulation(schedule, options);
	const expected = await expectedOf(schedule.plan);
	const fault = await simulation.run(expected);
	return { fault, trace: simulation.world.trace, ms: simulation.doneMs };
}

function expectedOf(plan: Plan): Promise<string> {
	const { shards, batch, accumulate } = plan;
	const key = JSON.stringify({ shards, batch, accumulate });
	const known = expectedHashes.get(key);
	if (known) return known;
	const alone = new Simulation(undisturbed(plan), {});
	const hash = alone.run(undefined).then((fault) => {
		if (fault !== undefined) throw new Error(`the undisturbed run: ${fault}`);
		return alone.hash;
	});
	expectedHashes.set(key, hash);
	return hash;
}

interface RunningCoordinator {
	readonly node: Node;
	readonly server: RpcServer;
	readonly runId: string;
	close(): Promise<void>;
}

interface PresentWorker {
	readonly node: Node;
	running?: RunningWorker;
	/** Faults that its engine still has to show. */
	engineFaults: number;
}

class Simulation {
	readonly world: World;
	hash = "";
	doneMs = 0;
	readonly #schedule: Schedule;
	readonly #mutation: Mutation;
	readonly #bus: Bus;
	readonly #workers: PresentWorker[] = [];
	/** By the address under which it is announced. */
	readonly #coordinators = new Map<string, RunningCoordinator>();
	#coordinator: RunningCoordinator | undefined;
	#workersStarted = 0;
	#checkpoint: TrainingState | undefined;
	#audit: readonly AuditLine[] = [];
	#isDone = false;
	#error: unknown;
	#miscount: string | undefined;

	constructor(schedule: Schedule, { isTraced = false, mutation = {} }: SimulationOptions) {
		this.world = new World(schedule.seed, schedule.noise, isTraced);
		this.#schedule = schedule;
		this.#mutation = mutation;
		this.#bus = createMemoryBus({ ...TIMING, clock: this.world.clock });
	}

	/** What is wrong with it. */
	async run(expected: string | undefined): Promise<string | undefined> {
		const { plan, faults } = this.#schedule;
		const { clock } = this.world;
		for (let i = 0; i < plan.workers; i++) clock.schedule(() => this.#addWorker(), this.world.random.wait(2_000));
		for (const fault of faults) clock.schedule(() => this.#cause(fault), fault.atMs);
		this.#startCoordinator(0);
		const rescue = () => {
			if (this.#isDone) return;
			if (this.#living().length === 0) this.#addWorker();
			clock.schedule(rescue, RESCUE_MS);
		};
		clock.schedule(rescue, RESCUE_MS);
		await clock.runUntil(() => this.#isDone, LIMIT_MS);
		this.doneMs = clock.now;
		return this.#verdict(expected);
	}

	async #verdict(expected: string | undefined): Promise<string | undefined> {
		if (this.#error !== undefined) return `ended with ${describeError(this.#error)}`;
		if (!this.#isDone) return `not done after ${LIMIT_MS / 60_000} minutes`;
		if (this.#miscount !== undefined) return this.#miscount;
		if (expected !== undefined && this.hash !== expected) return "ended with other numbers than an undisturbed run";
		return this.#leftover();
	}

	/** Ends everything, and says what is left over then. */
	async #leftover(): Promise<string | undefined> {
		const { clock } = this.world;
		const { server, runId, close } = this.#coordinator as RunningCoordinator;
		const held = server.exchange.held(runId);
		if (held.gradients > 0 || held.parameters > 0)
			return `${held.gradients} gradients and ${held.parameters} parameters held`;
		let isOver = false;
		const end = async () => {
			await close();
			await Promise.all(this.#living().map(({ running }) => running?.stop()));
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
		return server.uploads.underWay > 0 ? `${server.uploads.underWay} uploads left` : undefined;
	}

	#living(): PresentWorker[] {
		return this.#workers.filter(({ node }) => !node.isDead);
	}

	#addWorker(): void {
		if (this.#isDone) return;
		const worker: PresentWorker = { node: new Node(`w${this.#workersStarted++}`, this.world), engineFaults: 0 };
		const { node } = worker;
		this.world.log(`${node.name} starts`);
		this.#workers.push(worker);
		const bus = faultyBus(this.#bus, node);
		const takeFault = () => worker.engineFaults > 0 && worker.engineFaults-- > 0;
		const starting = startWorker(
			{
				bus: this.#mutation.ofWorkerBus?.(bus) ?? bus,
				connect: async ({ tensorsAddress }) => {
					const coordinator = this.#coordinators.get(tensorsAddress);
					if (!coordinator) throw new TailtuneError("offline", `${tensorsAddress}: nobody answers`);
					const connection = new RpcConnection(node, coordinator.server, fakeModel);
					await connection.open();
					return connection;
				},
				engine: { engine: "auto", backend: "auto", threads: 1 },
				featureMemoryBytes: 1e6,
			},
			{
				workerId: node.name,
				clock: node.clock,
				openEngines: async () => toyEngines(node, takeFault),
				describeEngines: async () => ({ trunk: info, tail: info }),
			},
		);
		starting
			.then((running) => {
				worker.running = running;
				running.stopped.catch((error) => this.#fail(error));
			})
			.catch((error) => this.#fail(error));
	}

	#startCoordinator(restarts: number): void {
		this.#coordinate(restarts).catch((error) => this.#fail(error));
	}

	async #coordinate(restarts: number): Promise<void> {
		const { plan } = this.#schedule;
		const node = new Node(`c${restarts}`, this.world);
		const runId = `run-${restarts}`;
		this.world.log(`${node.name} starts`);
		const own = forgetfulBus(faultyBus(this.#bus, node), node);
		const bus = this.#mutation.ofCoordinatorBus?.(own) ?? own;
		let announced: Awaited<ReturnType<typeof announceRun>> | undefined;
		const server = new RpcServer(node, {
			isExpected: (key) => announced?.dispatcher.isExpected(key) ?? false,
			onWorkerConnected: (workerId) => {
				if (!node.isDead) announced?.dispatcher.connectWorker(workerId);
			},
			onWorkerLost: (workerId) => {
				this.world.log(`${node.name}: the stream of ${workerId} is broken`);
				if (!node.isDead && !this.#mutation.ignoresBrokenStreams) announced?.dispatcher.loseWorker(workerId);
			},
		});
		const close = async () => {
			server.leases.close();
			await announced?.dispatcher.stop();
		};
		this.#coordinator = { node, server, runId, close };
		this.#coordinators.set(node.name, this.#coordinator);
		const state = this.#checkpoint ?? toyState();
		const run = { runId, model: fakeModel, modelHash: "", tail: headRun.tail as NonNullable<typeof headRun.tail> };
		const engine = { engine: "auto", backend: "auto" } as const;
		announced = await announceRun(
			bus,
			server.tensors,
			{
				...run,
				abandoned: restarts > 0 ? [`run-${restarts - 1}`] : [],
				shards: plan.shards,
				engine,
				clock: node.clock,
				now: () => this.world.clock.now,
			},
			node.name,
		);
		const context = { ...toyContext(plan), ...announced, tensors: this.#countOnce(server) };
		const audit = this.#audit.slice(0, state.progress.step);
		const hash = await runPhases(context, state, plan.checkpointEvery, audit, (checkpoint) => {
			this.world.log(`${node.name}: checkpoint at step ${checkpoint.progress.step}`);
			this.#checkpoint = checkpoint;
			this.#audit = [...audit];
		});
		this.hash = hash;
		this.#isDone = true;
		this.world.log(`${node.name}: done`);
	}

	/** Watches that no gradient is taken twice. */
	#countOnce({ tensors }: RpcServer): RpcServer["tensors"] {
		const taken = new Set<string>();
		return {
			...tensors,
			takeGradient: (runId, key) => {
				if (taken.has(key)) this.#miscount = `${key} was counted twice`;
				taken.add(key);
				return tensors.takeGradient(runId, key);
			},
		};
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
		const living = this.#living();
		const worker = living[fault.worker % living.length];
		if (!worker) return;
		const { node } = worker;
		this.world.log(`${node.name}: ${kind} ${ms}`);
		if (kind === "kill") node.kill(1);
		if (kind === "vanish") node.kill(ms);
		if (kind === "stop") this.#stopWorker(worker).catch((error) => this.#fail(error));
		if (kind === "freeze") node.freeze(ms);
		if (kind === "slow") node.slowness = 1 + ms / 1000;
		if (kind === "break engine") worker.engineFaults += 1;
		if (kind === "cut nats" || kind === "cut both") node.cut("nats", ms);
		if (kind === "cut rpc" || kind === "cut both") node.cut("rpc", ms);
	}

	async #stopWorker({ node, running }: PresentWorker): Promise<void> {
		await running?.stop();
		if (running && !node.isDead) node.kill(1);
	}

	#causeToCoordinator({ kind, ms }: Fault): void {
		const { node } = this.#coordinator as RunningCoordinator;
		if (node.isDead) return;
		this.world.log(`${node.name}: ${kind} ${ms}`);
		if (kind === "cut coordinator nats") node.cut("nats", ms);
		if (kind === "cut coordinator rpc") node.cut("rpc", ms);
		if (kind === "freeze coordinator") node.freeze(ms);
		if (kind !== "kill coordinator") return;
		node.kill(1);
		const restarts = this.#coordinators.size;
		this.world.clock.schedule(() => this.#startCoordinator(restarts), ms);
	}
}

function describeError(error: unknown): string {
	if (error instanceof TailtuneError) return `${error.code}: ${error.message}`;
	return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
