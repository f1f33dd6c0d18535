import { setMaxListeners } from "node:events";
import pMap from "p-map";
import type { Bus } from "../../shared/bus/bus.ts";
import { type Clock, realClock } from "../../shared/clock.ts";
import { TailtuneError, toErrorCode } from "../../shared/errors.ts";
import type { Answer, AnswerReceiver, AnswerSizes, ExpectedAnswer } from "../../shared/exchange/tensor-exchange.ts";
import type { NewItem, RunSpec, WorkerInfo, WorkResult } from "../../shared/messages.ts";
import { Notices } from "../../shared/notices.ts";
import { raceAbort } from "../../shared/race-abort.ts";
import type { WorkerActivity } from "../events/detailed-events.ts";
import type { IgnoredAnswers } from "../run-folder/audit.ts";
import { type AnswerShape, checkFinite, checkSizes } from "./check-answer.ts";
import { IdleShards } from "./idle-shards.ts";
import { RunAnswers, type WaitingItem } from "./run-answers.ts";
import { RunEngine } from "./run-engine.ts";
import { RunWorkers, type WorkersChange } from "./run-workers.ts";
import { WorkerTallies } from "./worker-tallies.ts";

export type { LeaveReason, WorkersChange } from "./run-workers.ts";

export interface DispatcherOptions {
	/** Called for each worker that joins or leaves, in order. */
	readonly onWorkers?: ((change: WorkersChange) => void) | undefined;
	/** Receives problems that hold up the run, such as an item that is retried after a worker's fault. */
	readonly notices?: Notices | undefined;
	/** Default: real time. */
	readonly clock?: Clock | undefined;
	/** Milliseconds of that clock, from any start; default: `performance.now`. */
	readonly now?: (() => number) | undefined;
	/** Workers with another engine than the first worker's take part too; they round differently. Default: false. */
	readonly mixedEngines?: boolean | undefined;
	/** Returns the numbers of the gradient of these sequences. Default: 0, for a run without gradients. */
	readonly gradientLength?: AnswerShape["gradientLength"] | undefined;
}

/** The answers to items, in the order of the items. */
export interface Answers extends AsyncIterable<Answer> {
	/** Resolves when all items are published. */
	readonly published: Promise<void>;
}

/** Items that wait for the bus's reply at the same time. */
const MOST_PUBLISHED = 64;

/** An item is given up after this number of faults by each worker present. */
const MOST_FAULTS = 3;

/**
 * Distributes the work of one run: assigns shards to workers, publishes items and counts one answer per item. It
 * refuses a second answer to an item and an answer to an unknown item.
 */
export class Dispatcher implements AnswerReceiver {
	/** Number of texts, and of their tokens, that the trunk has computed. */
	readonly trunk = { texts: 0, tokens: 0 };
	/** Names of the engines that have computed, for example "onnx cpu". */
	readonly engines = { trunk: new Set<string>(), tail: new Set<string>() };
	readonly #bus: Bus;
	readonly #run: RunSpec;
	readonly #runWorkers: RunWorkers;
	readonly #idleShards: IdleShards;
	readonly #notices: Notices;
	readonly #now: () => number;
	readonly #shape: AnswerShape;
	readonly #answers = new RunAnswers();
	readonly #tallies = new WorkerTallies();
	/** By worker, the time of its last answer. */
	readonly #answeredMs = new Map<string, number>();
	readonly #ended = new AbortController();
	/** Aborted with the reason when the run fails. */
	readonly #failed = new AbortController();

	constructor(bus: Bus, run: RunSpec, options: DispatcherOptions = {}) {
		const { onWorkers = () => {}, notices = new Notices(), clock = realClock, now = () => performance.now() } = options;
		setMaxListeners(0, this.#failed.signal); // one listener per item that is being published
		this.#bus = bus;
		this.#run = run;
		this.#notices = notices;
		this.#now = now;
		this.#shape = { classes: run.tail?.classes ?? 0, gradientLength: options.gradientLength ?? (() => 0) };
		const onMoved = (shard: number) => {
			for (const waiting of this.#answers.waiting) if (waiting.item.shard === shard) waiting.sinceMs = now();
			this.#idleShards.forget(shard);
		};
		const onError = (error: Error) => this.fail(error);
		const onChange = (change: WorkersChange) => {
			this.#tallies.recordChange(change);
			onWorkers(change);
		};
		const engine = new RunEngine(notices, options.mixedEngines ?? false);
		this.#runWorkers = new RunWorkers({ bus, run, clock, onWorkers: onChange, onMoved, onError, engine });
		this.#idleShards = new IdleShards({
			...{ bus, runId: run.runId, clock, notices, onError },
			due: (ms) => this.#dueSince(ms),
			holders: () => this.#runWorkers.holders,
			onIdle: (shard, workerId) => this.#runWorkers.suspendIdle(shard, workerId),
		});
	}

	/** All workers that have taken part, by id. */
	get workers(): ReadonlyMap<string, WorkerInfo> {
		return this.#runWorkers.workers;
	}

	/** Number of answers that were not counted so far. */
	get ignored(): IgnoredAnswers {
		return { ...this.#answers.ignored };
	}

	/** Lists the state of each worker now, and its work so far. */
	listActivity(): WorkerActivity[] {
		const { workers, present, holders, speeds } = this.#runWorkers;
		const nowMs = this.#now();
		const currentMs = new Map<string, number>();
		for (const { item, sinceMs } of this.#answers.waiting) {
			const workerId = holders[item.shard];
			if (workerId === undefined) continue;
			const ms = nowMs - this.#beganMs(sinceMs, workerId);
			currentMs.set(workerId, Math.max(ms, currentMs.get(workerId) ?? 0));
		}
		const speedOf = (workerId: string) => speeds.of(workerId);
		return this.#tallies.list({ workers, present: new Set(present), holders, speedOf, currentMs });
	}

	/** Announces the run and begins to watch workers. */
	async start(): Promise<void> {
		await this.#bus.announce(this.#run);
		this.#followWorkers().catch((error) => this.fail(error));
		this.#idleShards.start();
	}

	/** For each shard, the id of its worker; undefined if there are no workers. */
	get holders(): readonly (string | undefined)[] {
		return this.#runWorkers.holders;
	}

	/** Assigns the shards of a disconnected worker to other workers at once, with the items that it was computing. */
	loseWorker(workerId: string): void {
		this.#runWorkers.suspend(workerId, { reason: "disconnected" });
	}

	/** Records that a worker has connected, for the first time or again. */
	connectWorker(workerId: string): void {
		this.#runWorkers.recordConnection(workerId);
	}

	/** Makes every wait of the run fail, for example if the embedded worker dies. */
	fail(error: Error): void {
		if (this.#ended.signal.aborted || this.#failed.signal.aborted) return;
		this.#failed.abort(error);
		for (const waiting of this.#answers.waiting) {
			waiting.fail(error);
			this.#answers.end(waiting);
		}
	}

	/**
	 * Publishes items at once, and yields their answers in the order of the items. The tensor of an answer belongs to the
	 * caller, which returns it to the exchange.
	 * @throws TailtuneError with the worker's reason if an item failed
	 */
	execute(items: readonly NewItem[]): Answers {
		this.#failed.signal.throwIfAborted();
		const asked = items.map((item) => this.#answers.ask(item, { sinceMs: this.#now(), retry: this.#notices.hold() }));
		const published = this.#publish(asked);
		published.catch(() => {}); // the loop over the answers gets the error
		return Object.assign(this.#yieldAnswers(asked, published), { published });
	}

	async *#yieldAnswers(asked: readonly WaitingItem[], published: Promise<void>): AsyncGenerator<Answer> {
		try {
			await published;
			for (const { answered } of asked) {
				const answer = await answered;
				const { result } = answer;
				if (result.failure) throw new TailtuneError(toErrorCode(result.failure.code), result.failure.message);
				this.trunk.texts += result.trunkSequences;
				this.trunk.tokens += result.trunkTokens;
				if (result.trunkEngine) this.engines.trunk.add(result.trunkEngine);
				if (result.tailEngine) this.engines.tail.add(result.tailEngine);
				yield answer;
			}
		} finally {
			for (const waiting of asked) this.#answers.end(waiting);
		}
	}

	/** Publishes items in order, many at the same time, because each waits for a reply of the bus. */
	async #publish(asked: readonly WaitingItem[]): Promise<void> {
		const publish = ({ item, over }: WaitingItem) =>
			raceAbort(this.#bus.publish(item, over.signal), this.#failed.signal);
		await pMap(asked, publish, { concurrency: MOST_PUBLISHED });
	}

	/** Retires the run. */
	async stop(): Promise<void> {
		this.#ended.abort();
		this.#idleShards.end();
		this.#runWorkers.end();
		for (const waiting of this.#answers.waiting) this.#answers.end(waiting);
		await this.#bus.retire(this.#run.runId);
	}

	/** Returns the shards with an item that its worker could have begun at least `ms` milliseconds ago. */
	#dueSince(ms: number): ReadonlySet<number> {
		const latestMs = this.#now() - ms;
		const due = this.#answers.waiting.filter(({ sinceMs }) => sinceMs <= latestMs);
		return new Set(due.map(({ item }) => item.shard));
	}

	expect(result: WorkResult, sizes: AnswerSizes): ExpectedAnswer {
		const { item, over } = this.#answers.find(result);
		checkSizes(sizes, item, this.#shape, result.failure !== null);
		return { version: item.kind === "WORK_KIND_PREPARE" ? undefined : item.parameterVersion, over: over.signal };
	}

	accept(answer: Answer): void {
		const { result, logits, tensor } = answer;
		const waiting = this.#answers.find(result);
		const sizes = { logits: logits.length, tensor: tensor?.length ?? 0 };
		checkSizes(sizes, waiting.item, this.#shape, result.failure !== null);
		checkFinite(answer);
		if (result.failure?.ofWorker) {
			this.#recordFault(waiting, answer);
			return;
		}
		this.#recordWork(waiting, result);
		this.#settle(waiting, answer);
	}

	async #followWorkers(): Promise<void> {
		for await (const event of this.#bus.watchWorkers(this.#ended.signal)) {
			if (event.type === "joined") this.#runWorkers.join(event.worker);
			else this.#runWorkers.leave(event.workerId, event.reason);
		}
		if (!this.#ended.signal.aborted)
			throw new TailtuneError("offline", "lost the connection on which workers send heartbeats");
	}

	#settle(waiting: WaitingItem, answer: Answer): void {
		this.#answers.end(waiting);
		waiting.settle(answer);
	}

	/** Records a worker's fault. Other workers try the item, until every worker present has failed too often. */
	#recordFault(waiting: WaitingItem, answer: Answer): void {
		const { workerId, failure } = answer.result;
		const { reported, faults } = waiting;
		const name = `${workerId} ${failure?.fault}`;
		if (reported.has(name)) {
			this.#answers.ignored.double++;
			return;
		}
		reported.add(name);
		faults.set(workerId, (faults.get(workerId) ?? 0) + 1);
		if (this.#isGivenUp(waiting)) {
			this.#settle(waiting, answer);
			return;
		}
		waiting.retry.begin("retrying", `an item is retried because worker ${workerId} failed: ${failure?.message}`, 0);
		this.#runWorkers.suspend(workerId, { reason: "failing", detail: failure?.message });
	}

	#isGivenUp({ faults }: WaitingItem): boolean {
		if (this.#bus.isLocal) return true;
		const present = [...this.#runWorkers.present];
		return present.length > 0 && present.every((member) => (faults.get(member) ?? 0) >= MOST_FAULTS);
	}

	// A worker computes one item at a time: it began when it had the item and had answered the item before.
	#beganMs(sinceMs: number, workerId: string): number {
		return Math.max(sinceMs, this.#answeredMs.get(workerId) ?? 0);
	}

	#recordWork({ item, sinceMs }: WaitingItem, { workerId, trunkSequences }: WorkResult): void {
		const nowMs = this.#now();
		const computingMs = nowMs - this.#beganMs(sinceMs, workerId);
		this.#answeredMs.set(workerId, nowMs);
		const tokens = item.sequences.reduce((sum, sequence) => sum + sequence.tokens.length, 0);
		this.#runWorkers.speeds.add(workerId, item.kind, tokens, computingMs);
		// Other texts than those of the run have no features in a cache.
		const ofRun = item.kind === "WORK_KIND_CLASSIFY" ? 0 : 1;
		const [texts, trunkTexts] = [ofRun * item.sequences.length, ofRun * trunkSequences];
		this.#tallies.recordAnswer(workerId, { computingMs, texts, trunkTexts });
		this.#runWorkers.recordWork(workerId);
	}
}
