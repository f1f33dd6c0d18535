import type { Bus } from "../../shared/bus/bus.ts";
import { TailtuneError, toErrorCode } from "../../shared/errors.ts";
import { itemKey, type RunSpec, type WorkerInfo, type WorkItem, type WorkResult } from "../../shared/messages.ts";
import { ShardMap } from "./shard-map.ts";

interface Expected {
	readonly settle: (result: WorkResult) => void;
	readonly fail: (error: Error) => void;
}

/**
 * The coordinator's hold on the bus for one run: gives shards to workers, publishes items and counts each answer once.
 * What it expects is the truth; a second answer to an item, or one that nobody asked for, changes nothing.
 */
export class Dispatcher {
	/** Answers that were not counted: doubles and strays. */
	ignoredAnswers = 0;
	/** Texts, and their tokens, that the trunk was run on. */
	readonly trunk = { texts: 0, tokens: 0 };
	/** What computed, as in "onnx cpu". */
	readonly engines = { trunk: new Set<string>(), tail: new Set<string>() };
	/** Every worker that was there at some time, by id. */
	readonly workers = new Map<string, WorkerInfo>();
	readonly #bus: Bus;
	readonly #run: RunSpec;
	readonly #shards: ShardMap;
	readonly #expected = new Map<string, Expected>();
	readonly #ended = new AbortController();
	#failure: Error | undefined;

	constructor(bus: Bus, run: RunSpec) {
		this.#bus = bus;
		this.#run = run;
		this.#shards = new ShardMap(run.shards, (shard, workerId) => bus.assign({ runId: run.runId, shard, workerId }));
	}

	/** Announces the run and begins to listen. */
	async start(): Promise<void> {
		await this.#bus.announce(this.#run);
		this.#followWorkers().catch((error) => this.fail(error));
		this.#followAnswers().catch((error) => this.fail(error));
	}

	/** Whether an answer to that item is waited for. */
	isExpected(key: string): boolean {
		return this.#expected.has(key);
	}

	/** Id of the worker that holds each shard; undefined while nobody is there. */
	get holders(): readonly (string | undefined)[] {
		return this.#shards.holders;
	}

	/** Gives the shards of a worker that died to others at once, and what it had in hand too. */
	loseWorker(workerId: string): void {
		const lost = [...this.#shards.holders.keys()].filter((shard) => this.#shards.holders[shard] === workerId);
		const moved = this.#shards.leave(workerId).then(async () => {
			for (const shard of lost) await this.#bus.takeBack(this.#run.runId, shard);
		});
		moved.catch((error) => this.fail(error));
	}

	/** Makes the run fail where it waits, as when the embedded worker dies. */
	fail(error: Error): void {
		this.#failure ??= error;
		for (const expected of this.#expected.values()) expected.fail(this.#failure);
		this.#expected.clear();
	}

	/**
	 * Publishes items and yields their results in the order given, whatever the order in which they come.
	 * @throws TailtuneError with the worker's reason where an item could not be done
	 */
	async *execute(items: readonly WorkItem[]): AsyncGenerator<WorkResult> {
		if (this.#failure) throw this.#failure;
		const answers = items.map((item) => this.#expect(item));
		for (const item of items) await this.#bus.publish(item);
		for (const answer of answers) {
			const result = await answer;
			if (result.failure) throw new TailtuneError(toErrorCode(result.failure.code), result.failure.message);
			this.trunk.texts += result.trunkSequences;
			this.trunk.tokens += result.trunkTokens;
			if (result.trunkEngine) this.engines.trunk.add(result.trunkEngine);
			this.engines.tail.add(result.tailEngine);
			yield result;
		}
	}

	/** Retires the run; workers forget it. */
	async stop(): Promise<void> {
		this.#ended.abort();
		await this.#bus.retire(this.#run.runId);
	}

	#expect(item: WorkItem): Promise<WorkResult> {
		const answer = new Promise<WorkResult>((settle, fail) => {
			this.#expected.set(itemKey(item), { settle, fail });
		});
		answer.catch(() => {}); // an answer that fails before its turn is reported when its turn comes
		return answer;
	}

	async #followWorkers(): Promise<void> {
		for await (const event of this.#bus.watchWorkers(this.#ended.signal)) {
			if (event.type === "joined") {
				this.workers.set(event.worker.workerId, event.worker);
				await this.#shards.join(event.worker.workerId);
			} else await this.#shards.leave(event.workerId);
		}
	}

	async #followAnswers(): Promise<void> {
		for await (const result of this.#bus.watchAnswers(this.#run.runId, this.#ended.signal)) {
			const key = itemKey(result);
			const expected = this.#expected.get(key);
			this.#expected.delete(key);
			if (expected) expected.settle(result);
			else this.ignoredAnswers++;
		}
		if (!this.#ended.signal.aborted) throw new TailtuneError("offline", "lost the bus that answers come over");
	}
}
