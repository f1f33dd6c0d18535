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
import type { EngineChoice, RunConnection, RunningWorker, WorkerOptions } from "../../shared/worker-port.ts";
import { SIGNS_PER_TIMEOUT } from "../deadlines.ts";
import type { EngineInfos, Engines } from "../engine/engine.ts";
import type { RunEngineChoice } from "../engine/open-engines.ts";
import { ThreadEngines } from "../engine/thread/thread-engines.ts";
import { ByteBudget } from "../features/byte-budget.ts";
import { FeatureCache } from "../features/feature-cache.ts";
import { FeatureStore } from "../features/feature-store.ts";
import { repeatEvery } from "./repeat-every.ts";
import { Session } from "./session.ts";
import { type RunHost, WorkerRun } from "./worker-run.ts";

/** What tests and simulations put in the place of the real thing. */
export interface WorkerParts {
	readonly workerId: string;
	readonly clock: Clock;
	readonly openEngines: (model: ModelFiles, spec: TailSpec, choice: RunEngineChoice) => Promise<Engines>;
	/** What `openEngines` will compute on. */
	readonly describeEngines: (choice: EngineChoice) => Promise<EngineInfos>;
}

type State = "joining" | "serving" | "stopping" | "stopped" | "failed";

const log = debuglog("tailtune");

/**
 * Starts a worker: it joins the registry and serves every run that is announced, several at a time, until it is stopped
 * or the bus is lost. What an item or a run has wrong is answered, and the worker goes on.
 */
export async function startWorker(options: WorkerOptions, parts: Partial<WorkerParts> = {}): Promise<RunningWorker> {
	const all: WorkerParts = { ...realParts(options.engineIn), ...parts };
	const { trunk, tail } = await all.describeEngines(options.engine);
	if (trunk.fallbackReason !== undefined) {
		const how = "--engine onnx fails instead";
		options.notices?.mention("engines", `${trunk.engine} computes, with other bits: ${trunk.fallbackReason}; ${how}`);
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

/** An id that no other worker has, and that shows the host. */
export function newWorkerId(): string {
	return `${hostname()}-${randomUUID()}`;
}

/** One thread a process: native TensorFlow can be loaded by one only. */
const threadEngines = new ThreadEngines();

function realParts(engineIn: WorkerOptions["engineIn"] = "thread"): WorkerParts {
	// Either way the engines' libraries are loaded only when they are needed.
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
		this.stopped.catch(() => {}); // whoever doesn't wait for the end doesn't have to handle its error
	}

	async start(): Promise<void> {
		const { bus } = this.#options;
		const membership = await bus.join(this.info);
		this.#membership = membership;
		const everyMs = bus.timing.heartbeatLimitMs / SIGNS_PER_TIMEOUT;
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

	/** Only the engines are opened in the worker's turn: other runs must not wait for the coordinator of this one. */
	async #openSession(run: RunSpec, connection: RunConnection, signal: AbortSignal): Promise<Session> {
		const { engine } = this.#options;
		const { workerId } = this.info;
		const { tail, runId } = run;
		if (!tail) throw new TailtuneError("protocol", `run ${runId}: no tail, expected what is tuned`);
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
		// Another processor may give other bits; threads and company don't.
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
	 * Says good-bye, so that nobody takes the connections' end for a death, then finishes or hands back. Only the first call
	 * counts, the others wait with it.
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
