import type { Clock } from "../../shared/clock.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { Prediction } from "../classify/classifier.ts";
import { EVALUATION_BUDGET } from "../plan/group-by-length.ts";
import type { ServeOptions } from "./serve-options.ts";
import { TextQueue } from "./text-queue.ts";
import { Throughput } from "./throughput.ts";
import type { WorkerSlots } from "./worker-slots.ts";

export interface BatcherParts {
	/** Computes the answers to a batch, in the order of its texts. */
	readonly compute: (tokens: readonly Uint32Array[], shard: number) => Promise<readonly Prediction[]>;
	readonly slots: WorkerSlots;
	readonly limits: Pick<ServeOptions, "maxBatch" | "maxDelayMs" | "maxQueue" | "maxWaitMs">;
	readonly clock: Clock;
	/** Milliseconds of a monotonic clock. */
	readonly now: () => number;
	/** Called for each batch that is sent, with its number of texts and tokens. */
	readonly onBatch?: (texts: number, tokens: number) => void;
}

interface Entry {
	readonly tokens: Uint32Array;
	readonly sinceMs: number;
	readonly settle: (answer: Prediction) => void;
	readonly fail: (error: unknown) => void;
}

/** Most batches in flight per worker: the one being computed and, if a full batch is waiting, the next one. */
const MAX_IN_FLIGHT = 2;

/**
 * Groups texts that arrive one by one into batches of similar length. If a worker is free, a text is sent at once,
 * unless the previous batch had several texts: then it waits `maxDelayMs` for more.
 */
export class Batcher {
	readonly #parts: BatcherParts;
	readonly #queue = new TextQueue<Entry>();
	/** Texts of `askPatiently` that wait until the queue has room. */
	readonly #patient = new Set<Entry>();
	readonly #throughput: Throughput;
	#lastBatch = 0;
	#tokensUnderWay = 0;
	#cancelDelay: (() => void) | undefined;

	constructor(parts: BatcherParts) {
		this.#parts = parts;
		this.#throughput = new Throughput(parts.now);
	}

	/** Number of waiting texts. */
	get queued(): number {
		return this.#queue.length + this.#patient.size;
	}

	/** Answers a text without long waiting. @throws TailtuneError "busy" if it would have to wait too long */
	ask(tokens: Uint32Array, signal: AbortSignal): Promise<Prediction> {
		this.#refuseAbove(this.#queue.length, this.#waitMs());
		return this.#enter(tokens, signal, this.#queue);
	}

	/**
	 * Answers one of many texts: it waits as long as the others need. Such texts use at most half of the queue, the rest
	 * is for `ask`.
	 * @throws TailtuneError "busy" if too many texts wait this way
	 */
	askPatiently(tokens: Uint32Array, signal: AbortSignal): Promise<Prediction> {
		this.#refuseAbove(this.#patient.size, 0);
		return this.#enter(tokens, signal, this.#patient);
	}

	#refuseAbove(waiting: number, waitMs: number): void {
		const { maxQueue, maxWaitMs } = this.#parts.limits;
		if (waiting >= maxQueue) throw new TailtuneError("busy", `${waiting} texts are waiting already; try again later`);
		if (waitMs <= maxWaitMs) return;
		const about = `about ${Math.round(waitMs)} ms, more than ${maxWaitMs}`;
		throw new TailtuneError("busy", `the answer would take ${about}; try again later`);
	}

	#enter(tokens: Uint32Array, signal: AbortSignal, line: { add(entry: Entry): unknown }): Promise<Prediction> {
		return new Promise((settle, fail) => {
			const leave = () => signal.removeEventListener("abort", drop);
			const entry: Entry = {
				tokens,
				sinceMs: this.#parts.now(),
				settle: (answer) => {
					leave();
					settle(answer);
				},
				fail: (error) => {
					leave();
					fail(error);
				},
			};
			const drop = () => {
				this.#queue.remove(entry);
				this.#patient.delete(entry);
				entry.fail(new TailtuneError("interrupted", "the caller gave up"));
			};
			if (signal.aborted) return drop();
			signal.addEventListener("abort", drop);
			line.add(entry);
			this.#pump();
		});
	}

	/** Milliseconds until a text that arrives now would be answered. */
	#waitMs(): number {
		return this.#throughput.msFor(this.#queue.tokens + this.#tokensUnderWay);
	}

	#pump(): void {
		const { slots, limits } = this.#parts;
		for (;;) {
			this.#admitPatient();
			if (this.#queue.length === 0) return;
			const isFull = this.#queue.length >= limits.maxBatch;
			const shard = slots.find(1) ?? (isFull ? slots.find(MAX_IN_FLIGHT) : undefined);
			if (shard === undefined || this.#waitsForMore()) return;
			this.#send(shard).catch(() => {}); // each caller gets the error
		}
	}

	#admitPatient(): void {
		const { maxQueue, maxWaitMs } = this.#parts.limits;
		for (const entry of this.#patient) {
			const hasRoom = this.#queue.length < maxQueue / 2 && this.#waitMs() <= maxWaitMs / 2;
			if (!hasRoom && this.#queue.length > 0) return;
			this.#patient.delete(entry);
			this.#queue.add(entry);
		}
	}

	#waitsForMore(): boolean {
		const { clock, limits, now } = this.#parts;
		this.#cancelDelay?.();
		this.#cancelDelay = undefined;
		if (this.#queue.length >= Math.min(this.#lastBatch, limits.maxBatch)) return false;
		const leftMs = (this.#queue.oldest?.sinceMs ?? 0) + limits.maxDelayMs - now();
		if (leftMs <= 0) return false;
		this.#cancelDelay = clock.schedule(() => this.#pump(), leftMs);
		return true;
	}

	async #send(shard: number): Promise<void> {
		const { slots, limits, compute, onBatch } = this.#parts;
		const { paddedTokens } = EVALUATION_BUDGET;
		const batch = this.#queue.takeGroup({ texts: limits.maxBatch, paddedTokens });
		const tokens = batch.reduce((sum, entry) => sum + entry.tokens.length, 0);
		this.#lastBatch = batch.length;
		this.#tokensUnderWay += tokens;
		slots.take(shard);
		onBatch?.(batch.length, tokens);
		const done = this.#throughput.begin(tokens, batch.length >= limits.maxBatch || this.#queue.length > 0);
		try {
			const answers = await compute(
				batch.map((entry) => entry.tokens),
				shard,
			);
			for (const [row, entry] of batch.entries()) entry.settle(answers[row] as Prediction);
		} catch (error) {
			for (const { fail } of batch) fail(error);
		} finally {
			done();
			slots.free(shard);
			this.#tokensUnderWay -= tokens;
			this.#pump();
		}
	}
}
