import { setMaxListeners } from "node:events";
import type { Bus } from "../../shared/bus/bus.ts";
import { type Clock, realClock } from "../../shared/clock.ts";
import { TailtuneError, toErrorCode } from "../../shared/errors.ts";
import { itemKey, type RunSpec, type WorkerInfo, type WorkItem, type WorkResult } from "../../shared/messages.ts";
import { type Hold, Notices } from "../../shared/notices.ts";
import { raceAbort } from "../../shared/race-abort.ts";
import type { IgnoredAnswers } from "../run-folder/audit.ts";
import { answerFits, type Expectation } from "./answer-fits.ts";
import { assertAnswerFits } from "./answer-limit.ts";
import { IdleShards } from "./idle-shards.ts";
import { RunAnswers } from "./run-answers.ts";
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
	/** Default: nobody looks. */
	readonly hasGradient?: Expectation["hasGradient"] | undefined;
}

/** Faults of workers' own at one item, by each worker present, after which it is given up. */
const MOST_FAULTS = 12;
/** A worker out of reach comes back, some minutes later too; any other fault is worth three tries. */
const FAULTS_A_TRY = 4;

interface Expected {
	readonly item: WorkItem;
	readonly settle: (result: WorkResult) => void;
	readonly fail: (error: Error) => void;
	/** When its worker could have begun with it. */
	sinceMs: number;
	/** Faults of workers' own that were told, and their weight by worker. */
	readonly told: Set<string>;
	readonly faults: Map<string, number>;
	/** Reports the item while it is tried again. */
	readonly retry: Hold;
}

/**
 * The coordinator's hold on the bus for one run: gives shards to workers, publishes items and counts each answer once.
 * What it expects is the truth; a second answer to an item, or one that nobody asked for, changes nothing.
 */
export class Dispatcher {
	/** Texts, and their tokens, that the trunk was run on. */
	readonly trunk = { texts: 0, tokens: 0 };
	/** What computed, as in "onnx cpu". */
	readonly engines = { trunk: new Set<string>(), tail: new Set<string>() };
	/** Answers that didn't fit their items: others were asked for in their place. */
	refusedAnswers = 0;
	readonly #bus: Bus;
	readonly #run: RunSpec;
	readonly #crew: Crew;
	readonly #idleShards: IdleShards;
	readonly #notices: Notices;
	readonly #now: () => number;
	readonly #expectation: Expectation;
	readonly #expected = new Map<string, Expected>();
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
		this.#expectation = { classes: run.tail?.classes ?? 0, hasGradient: options.hasGradient ?? (() => true) };
		const onMoved = (shard: number) => {
			for (const expected of this.#expected.values()) if (expected.item.shard === shard) expected.sinceMs = now();
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
		this.#followAnswers().catch((error) => this.fail(error));
		this.#idleShards.start();
	}

	/** Whether an answer to that item is waited for. */
	isExpected(key: string): boolean {
		return this.#expected.has(key);
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

	/** Checks that the answer to an item of so many texts can be sent. @throws TailtuneError "usage" */
	assertAnswerFits(texts: number): void {
		assertAnswerFits(texts, this.#expectation.classes, this.#bus.maxMessageBytes);
	}

	/** Makes the run fail where it waits, as when the embedded worker dies. */
	fail(error: Error): void {
		if (this.#ended.signal.aborted || this.#failed.signal.aborted) return;
		this.#failed.abort(error);
		for (const [key, expected] of [...this.#expected]) {
			expected.fail(error);
			this.#forget(key);
		}
	}

	/**
	 * Publishes items and yields their results in the order given, whatever the order in which they come.
	 * @throws TailtuneError with the worker's reason where an item could not be done
	 */
	async *execute(items: readonly WorkItem[]): AsyncGenerator<WorkResult> {
		this.#failed.signal.throwIfAborted();
		for (const { kind, sequences } of items) if (kind !== "WORK_KIND_PREPARE") this.assertAnswerFits(sequences.length);
		const answers = items.map((item) => this.#expect(item));
		try {
			await this.#publish(items);
			for (const answer of answers) {
				const result = await answer;
				if (result.failure) throw new TailtuneError(toErrorCode(result.failure.code), result.failure.message);
				this.trunk.texts += result.trunkSequences;
				this.trunk.tokens += result.trunkTokens;
				if (result.trunkEngine) this.engines.trunk.add(result.trunkEngine);
				this.engines.tail.add(result.tailEngine);
				yield result;
			}
		} finally {
			for (const item of items) this.#forget(itemKey(item));
		}
	}

	/** Those of a shard go out in order, the shards at the same time: each publication waits for an answer of the bus. */
	async #publish(items: readonly WorkItem[]): Promise<void> {
		const byShard = new Map<number, WorkItem[]>();
		for (const item of items) byShard.set(item.shard, [...(byShard.get(item.shard) ?? []), item]);
		await Promise.all(
			[...byShard.values()].map(async (ofShard) => {
				for (const item of ofShard) await raceAbort(this.#bus.publish(item), this.#failed.signal);
			}),
		);
	}

	/** Retires the run; workers forget it. */
	async stop(): Promise<void> {
		this.#ended.abort();
		this.#idleShards.end();
		this.#crew.end();
		await this.#bus.retire(this.#run.runId);
	}

	/** The shards with an item that its worker could have begun with so many ms ago. */
	#dueSince(ms: number): ReadonlySet<number> {
		const latestMs = this.#now() - ms;
		const due = [...this.#expected.values()].filter(({ sinceMs }) => sinceMs <= latestMs);
		return new Set(due.map(({ item }) => item.shard));
	}

	#expect(item: WorkItem): Promise<WorkResult> {
		const answer = new Promise<WorkResult>((settle, fail) => {
			const sinceMs = this.#now();
			const attempts = { told: new Set<string>(), faults: new Map<string, number>(), retry: this.#notices.hold() };
			this.#expected.set(itemKey(item), { item, settle, fail, sinceMs, ...attempts });
		});
		answer.catch(() => {}); // an answer that fails before its turn is reported when its turn comes
		this.#answers.ask(item);
		return answer;
	}

	async #followWorkers(): Promise<void> {
		for await (const event of this.#bus.watchWorkers(this.#ended.signal)) {
			if (event.type === "joined") this.#crew.join(event.worker);
			else this.#crew.leave(event.workerId, event.reason);
		}
	}

	async #followAnswers(): Promise<void> {
		for await (const result of this.#bus.watchAnswers(this.#run.runId, this.#ended.signal)) this.#answered(result);
		if (!this.#ended.signal.aborted) throw new TailtuneError("offline", "lost the bus that answers come over");
	}

	#answered(result: WorkResult): void {
		const key = itemKey(result);
		const expected = this.#expected.get(key);
		if (!expected) this.#answers.ignore(result);
		else if (result.failure?.ofWorker) this.#failedOn(expected, result);
		else if (!answerFits(result, expected.item, this.#expectation)) this.#refuse(expected, result);
		else {
			this.#worked(expected, result.workerId);
			this.#settle(expected, result);
		}
	}

	#forget(key: string): void {
		this.#expected.get(key)?.retry.end();
		this.#expected.delete(key);
	}

	#settle(expected: Expected, result: WorkResult): void {
		this.#forget(itemKey(result));
		expected.settle(result);
	}

	/** Of a worker's own fault: others try, until every worker present has failed at the item too often. */
	#failedOn(expected: Expected, result: WorkResult): void {
		const { workerId, failure } = result;
		const { told, faults } = expected;
		const name = `${workerId} ${failure?.fault}`;
		if (told.has(name)) {
			this.#answers.ignore(result);
			return;
		}
		told.add(name);
		const weight = failure?.code === "offline" ? 1 : FAULTS_A_TRY;
		faults.set(workerId, (faults.get(workerId) ?? 0) + weight);
		if (this.#isGivenUp(expected)) {
			this.#settle(expected, result);
			return;
		}
		expected.retry.begin("retrying", `an item is tried again, worker ${workerId} failed: ${failure?.message}`, 0);
		this.#crew.trouble(workerId, { reason: "failing", detail: failure?.message });
	}

	#isGivenUp({ faults }: Expected): boolean {
		if (this.#bus.isLocal) return true;
		const present = [...this.#crew.present];
		return present.length > 0 && present.every((member) => (faults.get(member) ?? 0) >= MOST_FAULTS);
	}

	/** Of an answer that is none: as a fault of the worker's, and since the item was acknowledged it is published again. */
	#refuse(expected: Expected, result: WorkResult): void {
		const fault = -++this.refusedAnswers; // none that a worker could have told
		const message = `${itemKey(result)}: ${result.workerId} answers with ${result.logits.length} numbers that don't fit, or without a gradient`;
		this.#failedOn(expected, { ...result, failure: { code: "protocol", message, ofWorker: true, fault } });
		if (this.isExpected(itemKey(result))) this.#bus.publish(expected.item).catch((error) => this.fail(error));
	}

	// Workers do one item after another: a worker began when it had the item and was done with the one before it.
	#worked({ item, sinceMs }: Expected, workerId: string): void {
		const nowMs = this.#now();
		const beganMs = Math.max(sinceMs, this.#answeredMs.get(workerId) ?? 0);
		this.#answeredMs.set(workerId, nowMs);
		const tokens = item.sequences.reduce((sum, sequence) => sum + sequence.tokens.length, 0);
		this.#crew.speeds.add(workerId, item.kind, tokens, nowMs - beganMs);
		this.#crew.worked(workerId);
	}
}
