import type { Clock } from "../../shared/clock.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { Answer } from "../classify/classifier.ts";
import { EVALUATION_BUDGET } from "../plan/group-by-length.ts";
import type { ServeOptions } from "./serve-options.ts";
import { TextQueue } from "./text-queue.ts";
import { Pace } from "./throughput.ts";
import type { Lanes } from "./worker-slots.ts";

export interface BatcherParts {
	/** Answers for texts computed together, in their order. */
	readonly compute: (tokens: readonly Uint32Array[], shard: number) => Promise<readonly Answer[]>;
	readonly lanes: Lanes;
	readonly limits: Pick<ServeOptions, "maxBatch" | "maxDelayMs" | "maxQueue" | "maxWaitMs">;
	readonly clock: Clock;
	/** Milliseconds that never go back. */
	readonly now: () => number;
	/** Told of each batch that is sent: texts and their tokens. */
	readonly onBatch?: (texts: number, tokens: number) => void;
}

interface Entry {
	readonly tokens: Uint32Array;
	readonly sinceMs: number;
	readonly settle: (answer: Answer) => void;
	readonly fail: (error: unknown) => void;
}

/** Batches that a worker may have: the one computed and, where texts for a full one wait, the next at hand. */
const DEPTH = 2;

/**
 * Puts texts that come one by one together into batches of similar length. A text that finds a worker free is sent at
 * once, unless others came with the one before it: then it waits a moment for theirs.
 */
export class Batcher {
	readonly #parts: BatcherParts;
	readonly #queue = new TextQueue<Entry>();
	/** What waits for room in the queue, for callers that have patience. */
	readonly #patient = new Set<Entry>();
	readonly #pace: Pace;
	#lastBatch = 0;
	#tokensUnderWay = 0;
	#cancelDelay: (() => void) | undefined;

	constructor(parts: BatcherParts) {
		this.#parts = parts;
		this.#pace = new Pace(parts.now);
	}

	/** Texts that wait for their turn. */
	get queued(): number {
		return this.#queue.length + this.#patient.size;
	}

	/** The answer to a text that is taken at once. @throws TailtuneError "busy" where it would have to wait too long */
	ask(tokens: Uint32Array, signal: AbortSignal): Promise<Answer> {
		this.#refuseAbove(this.#queue.length, this.#waitMs());
		return this.#enter(tokens, signal, this.#queue);
	}

	/**
	 * The answer to one of many texts: it waits as long as others need. They leave half of the queue to those of `ask`.
	 * @throws TailtuneError "busy" where too many wait that way
	 */
	askPatiently(tokens: Uint32Array, signal: AbortSignal): Promise<Answer> {
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

	#enter(tokens: Uint32Array, signal: AbortSignal, line: { add(entry: Entry): unknown }): Promise<Answer> {
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

	/** Milliseconds until a text that comes now would be answered. */
	#waitMs(): number {
		return this.#pace.msFor(this.#queue.tokens + this.#tokensUnderWay);
	}

	#pump(): void {
		const { lanes, limits } = this.#parts;
		for (;;) {
			this.#admitPatient();
			if (this.#queue.length === 0) return;
			const isFull = this.#queue.length >= limits.maxBatch;
			const shard = lanes.find(1) ?? (isFull ? lanes.find(DEPTH) : undefined);
			if (shard === undefined || this.#waitsForMore()) return;
			this.#send(shard).catch(() => {}); // told to whoever asked
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
		const { lanes, limits, compute, onBatch } = this.#parts;
		const { paddedTokens } = EVALUATION_BUDGET;
		const batch = this.#queue.takeGroup({ texts: limits.maxBatch, paddedTokens });
		const tokens = batch.reduce((sum, entry) => sum + entry.tokens.length, 0);
		this.#lastBatch = batch.length;
		this.#tokensUnderWay += tokens;
		lanes.take(shard);
		onBatch?.(batch.length, tokens);
		const done = this.#pace.begin(tokens, batch.length >= limits.maxBatch || this.#queue.length > 0);
		try {
			const answers = await compute(
				batch.map((entry) => entry.tokens),
				shard,
			);
			for (const [row, entry] of batch.entries()) entry.settle(answers[row] as Answer);
		} catch (error) {
			for (const { fail } of batch) fail(error);
		} finally {
			done();
			lanes.free(shard);
			this.#tokensUnderWay -= tokens;
			this.#pump();
		}
	}
}
