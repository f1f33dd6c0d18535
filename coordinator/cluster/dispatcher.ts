import { setMaxListeners } from "node:events";
import type { Bus } from "../../shared/bus/bus.ts";
import { type Clock, realClock } from "../../shared/clock.ts";
import { TailtuneError, toErrorCode } from "../../shared/errors.ts";
import type { Answer, AnswerReceiver, AnswerSizes } from "../../shared/exchange/tensor-exchange.ts";
import type { NewItem, RunSpec, WorkerInfo, WorkResult } from "../../shared/messages.ts";
import { Notices } from "../../shared/notices.ts";
import { raceAbort } from "../../shared/race-abort.ts";
import type { IgnoredAnswers } from "../run-folder/audit.ts";
import { type AnswerShape, checkFinite, checkSizes } from "./check-answer.ts";
import { IdleShards } from "./idle-shards.ts";
import { RunAnswers, type WaitingItem } from "./run-answers.ts";
import { RunEngine } from "./run-engine.ts";
import { Crew, type WorkersChange } from "./run-workers.ts";

export type { LeaveReason, WorkersChange } from "./run-workers.ts";

export interface DispatcherOptions {
	/** Told of workers that join and leave, in order. */
	readonly onWorkers?: ((change: WorkersChange) => void) | undefined;
	/** Told whatever holds the run up, such as an item that a worker could not do and that is tried again. */
	readonly notices?: Notices | undefined;
	/** Default: real time. */
	readonly clock?: Clock | undefined;
	/** Milliseconds since some moment, by that clock. */
	readonly now?: (() => number) | undefined;
	/** Workers with other engines than the first one's take part too, and round differently. Default: false. */
	readonly mixedEngines?: boolean | undefined;
	/** Numbers of a gradient, with the moments if these travel; default 0, for a run that asks for none. */
	readonly gradientLength?: number | undefined;
}

/** Faults of workers' own at one item, by each worker present, after which it is given up. */
const MOST_FAULTS = 3;

/**
 * One run's work: gives shards to workers, publishes items and counts one answer to each. A second answer to an item, or one
 * that nobody asked for, is refused.
 */
export class Dispatcher implements AnswerReceiver {
	/** Texts, and their tokens, that the trunk was run on. */
	readonly trunk = { texts: 0, tokens: 0 };
	/** What computed, as in "onnx cpu". */
	readonly engines = { trunk: new Set<string>(), tail: new Set<string>() };
	readonly #bus: Bus;
	readonly #run: RunSpec;
	readonly #crew: Crew;
	readonly #idleShards: IdleShards;
	readonly #notices: Notices;
	readonly #now: () => number;
	readonly #shape: AnswerShape;
	readonly #answers = new RunAnswers();
	/** By worker, when its last answer came. */
	readonly #answeredMs = new Map<string, number>();
	readonly #ended = new AbortController();
	/** Aborted with the reason when the run fails. */
	readonly #failed = new AbortController();

	constructor(bus: Bus, run: RunSpec, options: DispatcherOptions = {}) {
		const { onWorkers = () => {}, notices = new Notices(), clock = realClock, now = () => performance.now() } = options;
		setMaxListeners(0, this.#failed.signal); // one for each shard whose items are being published
		this.#bus = bus;
		this.#run = run;
		this.#notices = notices;
		this.#now = now;
		this.#shape = { classes: run.tail?.classes ?? 0, gradient: options.gradientLength ?? 0 };
		const onMoved = (shard: number) => {
			for (const waiting of this.#answers.waiting) if (waiting.item.shard === shard) waiting.sinceMs = now();
			this.#idleShards.forget(shard);
		};
		const onError = (error: Error) => this.fail(error);
		const engine = new RunEngine(notices, options.mixedEngines ?? false);
		this.#crew = new Crew({ bus, run, clock, onWorkers, onMoved, onError, engine });
		this.#idleShards = new IdleShards({
			...{ bus, runId: run.runId, clock, notices, onError },
			due: (ms) => this.#dueSince(ms),
			holders: () => this.#crew.holders,
			onIdle: (shard, workerId) => this.#crew.idle(shard, workerId),
		});
	}

	/** Every worker that took part at some time, by id. */
	get workers(): ReadonlyMap<string, WorkerInfo> {
		return this.#crew.workers;
	}

	/** Answers that were not counted, so far. */
	get ignored(): IgnoredAnswers {
		return { ...this.#answers.ignored };
	}

	/** Announces the run and begins to listen. */
	async start(): Promise<void> {
		await this.#bus.announce(this.#run);
		this.#followWorkers().catch((error) => this.fail(error));
		this.#idleShards.start();
	}

	/** Id of the worker that holds each shard; undefined while nobody is there. */
	get holders(): readonly (string | undefined)[] {
		return this.#crew.holders;
	}

	/** Gives the shards of a worker whose connection broke to others at once, and what it had in hand too. */
	loseWorker(workerId: string): void {
		this.#crew.trouble(workerId, { reason: "disconnected" });
	}

	/** Of a worker that connected, for the first time or anew. */
	connectWorker(workerId: string): void {
		this.#crew.connected(workerId);
	}

	/** Makes the run fail where it waits, as when the embedded worker dies. */
	fail(error: Error): void {
		if (this.#ended.signal.aborted || this.#failed.signal.aborted) return;
		this.#failed.abort(error);
		for (const waiting of this.#answers.waiting) {
			waiting.fail(error);
			this.#answers.end(waiting);
		}
	}

	/**
	 * Publishes items and yields their answers in the order given, whatever the order in which they come. The tensor of an
	 * answer is the caller's, to be given back to the exchange.
	 * @throws TailtuneError with the worker's reason if an item could not be done
	 */
	async *execute(items: readonly NewItem[]): AsyncGenerator<Answer> {
		this.#failed.signal.throwIfAborted();
		const asked = items.map((item) => this.#answers.ask(item, { sinceMs: this.#now(), retry: this.#notices.hold() }));
		try {
			await this.#publish(asked);
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

	/** Those of a shard go out in order, the shards at the same time: each publication waits for an answer of the bus. */
	async #publish(asked: readonly WaitingItem[]): Promise<void> {
		const byShard = new Map<number, WaitingItem[]>();
		for (const waiting of asked) {
			const { shard } = waiting.item;
			byShard.set(shard, [...(byShard.get(shard) ?? []), waiting]);
		}
		await Promise.all(
			[...byShard.values()].map(async (ofShard) => {
				for (const { item, over } of ofShard)
					await raceAbort(this.#bus.publish(item, over.signal), this.#failed.signal);
			}),
		);
	}

	/** Retires the run; workers forget it. */
	async stop(): Promise<void> {
		this.#ended.abort();
		this.#idleShards.end();
		this.#crew.end();
		for (const waiting of this.#answers.waiting) this.#answers.end(waiting);
		await this.#bus.retire(this.#run.runId);
	}

	/** The shards with an item that its worker could have begun with so many ms ago. */
	#dueSince(ms: number): ReadonlySet<number> {
		const latestMs = this.#now() - ms;
		const due = this.#answers.waiting.filter(({ sinceMs }) => sinceMs <= latestMs);
		return new Set(due.map(({ item }) => item.shard));
	}

	expect(result: WorkResult, sizes: AnswerSizes): AbortSignal {
		const { item, over } = this.#answers.find(result);
		checkSizes(sizes, item, this.#shape, result.failure !== null);
		return over.signal;
	}

	accept(answer: Answer): void {
		const { result, logits, tensor } = answer;
		const waiting = this.#answers.find(result);
		const sizes = { logits: logits.length, tensor: tensor?.length ?? 0 };
		checkSizes(sizes, waiting.item, this.#shape, result.failure !== null);
		checkFinite(answer);
		if (result.failure?.ofWorker) {
			this.#failedOn(waiting, answer);
			return;
		}
		this.#worked(waiting, result.workerId);
		this.#settle(waiting, answer);
	}

	async #followWorkers(): Promise<void> {
		for await (const event of this.#bus.watchWorkers(this.#ended.signal)) {
			if (event.type === "joined") this.#crew.join(event.worker);
			else this.#crew.leave(event.workerId, event.reason);
		}
		if (!this.#ended.signal.aborted) throw new TailtuneError("offline", "lost the bus that workers are heard on");
	}

	#settle(waiting: WaitingItem, answer: Answer): void {
		this.#answers.end(waiting);
		waiting.settle(answer);
	}

	/** Of a worker's own fault: others try, until every worker present has failed at the item too often. */
	#failedOn(waiting: WaitingItem, answer: Answer): void {
		const { workerId, failure } = answer.result;
		const { told, faults } = waiting;
		const name = `${workerId} ${failure?.fault}`;
		if (told.has(name)) {
			this.#answers.ignored.double++;
			return;
		}
		told.add(name);
		faults.set(workerId, (faults.get(workerId) ?? 0) + 1);
		if (this.#isGivenUp(waiting)) {
			this.#settle(waiting, answer);
			return;
		}
		waiting.retry.begin("retrying", `an item is tried again, worker ${workerId} failed: ${failure?.message}`, 0);
		this.#crew.trouble(workerId, { reason: "failing", detail: failure?.message });
	}

	#isGivenUp({ faults }: WaitingItem): boolean {
		if (this.#bus.isLocal) return true;
		const present = [...this.#crew.present];
		return present.length > 0 && present.every((member) => (faults.get(member) ?? 0) >= MOST_FAULTS);
	}

	// Workers do one item after another: a worker began when it had the item and was done with the one before it.
	#worked({ item, sinceMs }: WaitingItem, workerId: string): void {
		const nowMs = this.#now();
		const beganMs = Math.max(sinceMs, this.#answeredMs.get(workerId) ?? 0);
		this.#answeredMs.set(workerId, nowMs);
		const tokens = item.sequences.reduce((sum, sequence) => sum + sequence.tokens.length, 0);
		this.#crew.speeds.add(workerId, item.kind, tokens, nowMs - beganMs);
		this.#crew.worked(workerId);
	}
}
