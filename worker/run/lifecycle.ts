import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { debuglog } from "node:util";
import type { Membership } from "../../shared/bus/bus.ts";
import { type Clock, realClock } from "../../shared/clock.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { ownCacheFolder } from "../../shared/files/cache-folder.ts";
import type { RunSpec, TailSpec, WorkerInfo } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { trunkPrecisionOf } from "../../shared/model/trunk-precision.ts";
import { Notices } from "../../shared/notices.ts";
import type { EngineChoice } from "../../shared/worker-port/engine-choice.ts";
import type { RunConnection, RunningWorker, WorkerOptions } from "../../shared/worker-port/running-worker.ts";
import { HEARTBEATS_PER_TIMEOUT } from "../deadlines.ts";
import type { EngineInfos, Engines } from "../engine/engine.ts";
import type { RunEngineChoice } from "../engine/open-engines.ts";
import { ThreadEngines } from "../engine/thread/thread-engines.ts";
import { ByteBudget } from "../features/byte-budget.ts";
import { FeatureCache } from "../features/feature-cache.ts";
import { FeatureStore } from "../features/feature-store.ts";
import { repeatEvery } from "./repeat-every.ts";
import { Session } from "./session.ts";
import { type RunHost, WorkerRun } from "./worker-run.ts";

/** Parts of a worker that tests and simulations replace. */
export interface WorkerParts {
	readonly workerId: string;
	readonly clock: Clock;
	readonly openEngines: (model: ModelFiles, spec: TailSpec, choice: RunEngineChoice) => Promise<Engines>;
	/** Describes the engines that `openEngines` will open. */
	readonly describeEngines: (choice: EngineChoice) => Promise<EngineInfos>;
}

type State = "joining" | "serving" | "stopping" | "stopped" | "failed";

const log = debuglog("tailtune");

/**
 * Starts a worker. It joins the registry and serves all announced runs at the same time, until it is stopped or loses
 * the bus. It answers a faulty item or run with a failure, and continues.
 */
export async function startWorker(options: WorkerOptions, parts: Partial<WorkerParts> = {}): Promise<RunningWorker> {
	const all: WorkerParts = { ...realParts(options.engineIn), ...parts };
	const { trunk, tail } = await all.describeEngines(options.engine);
	if (trunk.fallbackReason !== undefined) {
		const text = `${trunk.engine} computes, with other bits: ${trunk.fallbackReason}; --engine onnx fails instead`;
		options.notices?.mention("engines", text);
	}
	const worker = new Worker(options, all, {
		workerId: all.workerId,
		trunkEngine: `${trunk.engine} ${trunk.backend}`,
		tailEngine: `${tail.engine} ${tail.backend}`,
		device: trunk.device,
		threads: trunk.threads,
		version: trunk.version,
	});
	await worker.start();
	return worker;
}

/** Returns a new id, which begins with the host's name. */
export function newWorkerId(): string {
	return `${hostname()}-${randomUUID()}`;
}

/** One engine thread per process, because only one thread can load native TensorFlow. */
const threadEngines = new ThreadEngines();

function realParts(engineIn: WorkerOptions["engineIn"] = "thread"): WorkerParts {
	// In both cases the engines' libraries are only loaded when they are needed.
	const engines = async () => (engineIn === "main-thread" ? import("../engine/open-engines.ts") : threadEngines);
	return {
		workerId: newWorkerId(),
		clock: realClock,
		openEngines: async (...args) => (await engines()).openEngines(...args),
		describeEngines: async (...args) => (await engines()).describeEngines(...args),
	};
}

class Worker implements RunningWorker {
	readonly info: WorkerInfo;
	readonly stopped: Promise<void>;
	readonly #options: WorkerOptions;
	readonly #parts: WorkerParts;
	readonly #featureBudget: ByteBudget;
	readonly #runs = new Map<string, WorkerRun>();
	readonly #endingRuns = new Set<Promise<void>>();
	readonly #ended = new AbortController();
	#state: State = "joining";
	#turn: Promise<unknown> = Promise.resolve();
	#membership: Membership | undefined;
	#endBeats = () => {};
	#settleStopped: (error?: unknown) => void = () => {};

	constructor(options: WorkerOptions, parts: WorkerParts, info: WorkerInfo) {
		this.#options = options;
		this.#parts = parts;
		this.info = info;
		this.#featureBudget = new ByteBudget(options.featureMemoryBytes);
		this.stopped = new Promise((resolve, reject) => {
			this.#settleStopped = (error) => (error === undefined ? resolve() : reject(error));
		});
		this.stopped.catch(() => {}); // not an unhandled rejection if the caller doesn't wait for it
	}

	async start(): Promise<void> {
		const { bus } = this.#options;
		const membership = await bus.join(this.info);
		this.#membership = membership;
		const everyMs = bus.timing.heartbeatLimitMs / HEARTBEATS_PER_TIMEOUT;
		this.#endBeats = repeatEvery(this.#parts.clock, everyMs, () => membership.beat(), this.#fail);
		this.#become("serving", "joined");
		this.#followRuns().catch(this.#fail);
	}

	async stop(): Promise<void> {
		await this.#end("asked to stop");
	}

	async #followRuns(): Promise<void> {
		for await (const event of this.#options.bus.watchRuns(this.#ended.signal)) {
			if (event.type === "retired") this.#endRun(event.runId, "retired");
			else if (!this.#runs.has(event.run.runId))
				this.#runs.set(event.run.runId, new WorkerRun(event.run, this.#host()));
		}
		if (!this.#ended.signal.aborted) throw new TailtuneError("offline", `worker ${this.info.workerId}: lost the bus`);
	}

	#endRun(runId: string, why: "retired" | "stopping"): void {
		const run = this.#runs.get(runId);
		if (!run) return;
		this.#runs.delete(runId);
		const ending = run
			.end(why)
			.catch(this.#fail)
			.finally(() => this.#endingRuns.delete(ending));
		this.#endingRuns.add(ending);
	}

	#host(): RunHost {
		return {
			workerId: this.info.workerId,
			bus: this.#options.bus,
			clock: this.#parts.clock,
			takeTurn: (work) => this.#takeTurn(work),
			connect: (run, signal) => this.#options.connect(run, this.info.workerId, signal),
			openSession: (run, connection, signal) => this.#openSession(run, connection, signal),
			notices: this.#options.notices ?? new Notices(),
			fail: this.#fail,
		};
	}

	#takeTurn<T>(work: () => Promise<T>): Promise<T> {
		const mine = this.#turn.then(work);
		this.#turn = mine.catch(() => {});
		return mine;
	}

	/** Only opening the engines takes a turn, because other runs must not wait for the coordinator of this run. */
	async #openSession(run: RunSpec, connection: RunConnection, signal: AbortSignal): Promise<Session> {
		const { engine } = this.#options;
		const { workerId } = this.info;
		const { tail, runId } = run;
		if (!tail) throw new TailtuneError("protocol", `run ${runId} has no tail, expected the parts to tune`);
		const trunkPrecision = trunkPrecisionOf(run);
		const model = await connection.openModel();
		const engines = await this.#takeTurn(async () => {
			signal.throwIfAborted();
			return this.#parts.openEngines(model, tail, { ...engine, trunkPrecision });
		});
		const features = new FeatureStore(this.#featureBudget);
		const cache = this.#openCache(run, tail, engines.trunk);
		return new Session({ run, model, engines, features, cache, tensors: connection.tensors, workerId });
	}

	#openCache(
		{ modelHash, trunkPrecision }: RunSpec,
		tail: TailSpec,
		trunk: Engines["trunk"],
	): FeatureCache | undefined {
		const { featureCacheBytes: bytes = 0 } = this.#options;
		if (bytes === 0 || !trunk) return undefined;
		// Another processor may give other bits; another number of threads doesn't.
		const { threads: _, ...engine } = trunk.info;
		const kind = { modelHash, trainable: tail.trainable, causal: tail.causal, trunkPrecision, engine };
		try {
			return new FeatureCache(kind, { folder: join(ownCacheFolder(), "features"), bytes });
		} catch (error) {
			log("features are not kept on disk: %s", error);
			return undefined;
		}
	}

	readonly #fail = (error: unknown): void => {
		this.#end("an error", error).catch(() => {});
	};

	/**
	 * Leaves the registry first, so that closed connections don't look like a crash, then finishes or returns its items.
	 * The first call does this; later calls wait for it.
	 */
	async #end(reason: string, error?: unknown): Promise<void> {
		if (this.#ended.signal.aborted) return this.stopped.catch(() => {});
		this.#become("stopping", reason);
		this.#ended.abort();
		this.#endBeats();
		try {
			await this.#membership?.leave();
		} catch (cause) {
			error ??= cause;
		}
		for (const runId of [...this.#runs.keys()]) this.#endRun(runId, "stopping");
		await Promise.all(this.#endingRuns);
		this.#become(error === undefined ? "stopped" : "failed", reason);
		this.#settleStopped(error);
	}

	#become(state: State, reason: string): void {
		log("worker %s: %s -> %s (%s)", this.info.workerId, this.#state, state, reason);
		this.#state = state;
	}
}
