import { debuglog } from "node:util";
import type { UpdatePart } from "../../proto/gen/tailtune/v1/UpdatePart.ts";
import { type Clock, realClock } from "../../shared/clock.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { raceAbort } from "../../shared/race-abort.ts";
import { UPDATE_SILENCE_MS } from "../deadlines.ts";
import type { StateSource } from "./state-source.ts";
import { UpdateReader } from "./update-reader.ts";
import type { UpdateTarget } from "./update-target.ts";

const log = debuglog("tailtune");

export interface PublishedUpdatesOptions {
	readonly runId: string;
	readonly schema: TensorSchema;
	readonly source: StateSource;
	readonly target: UpdateTarget;
	/** Returns the last gradient that this worker sent. Default: none. */
	readonly answered?: (() => Float32Array | undefined) | undefined;
	/** Ends the watch when it aborts. */
	readonly closed: AbortSignal;
	/** Default: real time. */
	readonly clock?: Clock | undefined;
}

/**
 * Applies the updates that are published to all workers, each as soon as it is complete. Parts that can't be used at
 * once aren't kept, because the coordinator has them.
 */
export class PublishedUpdates {
	readonly #options: PublishedUpdatesOptions;
	/** Assembles the next update. */
	#reader: UpdateReader | undefined;
	/** Up to this version, updates were published that can't be applied any more. */
	#missed = 0;
	/** Whether updates arrive: if not, a request doesn't wait for them. */
	#isHeard = true;
	#isPaused = false;
	#refused = 0;
	#wake = () => {};

	/** Begins to watch at once. */
	constructor(options: PublishedUpdatesOptions) {
		this.#options = options;
		void this.#watch();
	}

	/** Number of parts that were wrong. */
	get refused(): number {
		return this.#refused;
	}

	/** Notes that updates up to a version were published and can't be applied any more. */
	miss(version: number): void {
		this.#missed = Math.max(this.#missed, version);
	}

	/** Forgets an update that isn't complete. */
	drop(): void {
		this.#reader = undefined;
	}

	/** Applies nothing until `resume`, because all updates that were published are now read from the coordinator. */
	pause(): void {
		this.drop();
		this.#missed = 0;
		this.#isPaused = true;
	}

	resume(): void {
		this.#isPaused = false;
	}

	/**
	 * Waits while the update after a version is being published.
	 * @returns false if it has to be read
	 * @throws the reason of `signal`
	 */
	async waitForNext(version: number, signal: AbortSignal): Promise<boolean> {
		while (this.#isHeard && this.#missed <= version) {
			const isHeard = await this.#nextPart(signal);
			if (this.#options.target.base?.version !== version) return true;
			if (!isHeard) this.#isHeard = false;
		}
		return false;
	}

	/** Waits for the next part. @returns false if none arrives in time */
	async #nextPart(signal: AbortSignal): Promise<boolean> {
		const { clock = realClock } = this.#options;
		let cancel = () => {};
		const heard = new Promise<boolean>((resolve) => {
			this.#wake = () => resolve(true);
			cancel = clock.schedule(() => resolve(false), UPDATE_SILENCE_MS);
		});
		return raceAbort(heard, signal).finally(cancel);
	}

	async #watch(): Promise<void> {
		const { runId, source, closed } = this.#options;
		try {
			for await (const part of source.watchUpdates(closed)) {
				this.#receive(part);
				this.#wake();
			}
		} catch (error) {
			log("published updates of run %s can't be watched: %s", runId, error);
		}
		this.#isHeard = false;
		this.#wake();
	}

	#receive(part: UpdatePart): void {
		const { base } = this.#options.target;
		const version = part.header?.parameterVersion ?? 0;
		const isNext = version === (base?.version ?? 0) + 1;
		if (part.header && base && version <= base.version) return;
		this.#isHeard = true;
		if (!base || this.#isPaused || (part.header && !isNext)) this.miss(version);
		// Not the rest of an update that was refused, or that began while it couldn't be applied.
		else if (!isNext || this.#missed < version) this.#add(part, base);
	}

	#add(part: UpdatePart, base: NonNullable<UpdateTarget["base"]>): void {
		const { runId, schema, target, answered } = this.#options;
		const lacksNumbers = part.chunk?.data.length === 0;
		try {
			this.#reader ??= new UpdateReader(runId, schema, base.memory);
			const update = this.#reader.add(lacksNumbers ? withNumbers(part, answered?.()) : part, base.version);
			if (update) target.apply(update);
		} catch (error) {
			// Without numbers the part is only of use to the worker that has them.
			if (!lacksNumbers) this.#refused++;
			this.drop();
			this.miss(base.version + 1);
			log("a published update of run %s is refused: %s", runId, error);
		}
	}
}

/** Adds a gradient's numbers to a part that consists of their checksum. */
function withNumbers(part: UpdatePart, numbers: Float32Array | undefined): UpdatePart {
	const { chunk } = part;
	if (!chunk || !numbers) return part;
	return { ...part, chunk: { ...chunk, data: Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength) } };
}
