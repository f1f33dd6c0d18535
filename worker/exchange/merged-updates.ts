import { debuglog } from "node:util";
import type { UpdatePart } from "../../proto/gen/tailtune/v1/UpdatePart.ts";
import { type Clock, realClock } from "../../shared/clock.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { raceAbort } from "../../shared/race-abort.ts";
import type { Update } from "../../shared/updates/updatable-state.ts";
import { UPDATE_SILENCE_MS } from "../deadlines.ts";
import type { StateSource } from "./state-source.ts";
import { UpdateReader } from "./update-reader.ts";

const log = debuglog("tailtune");

/** The state that updates are applied to. */
export interface UpdateTarget {
	/** Its version, and memory for the numbers of an update; undefined if no update can be applied now. */
	readonly base: { readonly version: number; readonly memory: Float32Array } | undefined;
	/** Applies the next update. @throws Refusal if that isn't possible; `base` is then undefined */
	apply(update: Update): void;
}

export interface MergedUpdatesOptions {
	readonly runId: string;
	readonly schema: TensorSchema;
	readonly source: StateSource;
	readonly target: UpdateTarget;
	/** Ends the watch of published updates when it aborts. */
	readonly closed: AbortSignal;
	/** Default: real time. */
	readonly clock?: Clock | undefined;
}

/**
 * Applies a run's updates in order. They are published to all workers at once, and applied as soon as they are
 * complete. If one is missing, late or wrong, it is read from the coordinator, which keeps the last ones.
 */
export class MergedUpdates {
	readonly #options: MergedUpdatesOptions;
	#stop = new AbortController();
	/** Assembles the next published update. */
	#published: UpdateReader | undefined;
	/** Up to this version, updates were published that can't be applied any more. */
	#missed = 0;
	/** Whether published updates arrive: if not, a request doesn't wait for them. */
	#isHeard = true;
	#isReading = false;
	#refused = 0;
	#wake = () => {};

	constructor(options: MergedUpdatesOptions) {
		this.#options = options;
		void this.#watch();
	}

	/** Number of published parts that were wrong. */
	get refused(): number {
		return this.#refused;
	}

	/** Notes that updates up to a version may have been published before the state was read. */
	miss(version: number): void {
		this.#missed = Math.max(this.#missed, version);
	}

	/**
	 * Waits until the updates have led to a version, or can't because the target has no state any more.
	 * @throws Refusal if an update that was read is wrong or isn't kept; TailtuneError "offline" if there is none; the
	 *   reason of `drop`
	 */
	async reach(version: number): Promise<void> {
		const { target } = this.#options;
		const { signal } = this.#stop;
		for (let { base } = target; base && base.version < version; { base } = target)
			if (!(await this.#isPublished(base.version, signal))) await this.#read(version, signal);
	}

	/** Ends a wait for updates, and forgets an update that isn't complete. */
	drop(why: TailtuneError): void {
		this.#stop.abort(why);
		this.#stop = new AbortController();
		this.#published = undefined;
	}

	/** Waits while the update after a version is being published. @returns false if it has to be read */
	async #isPublished(version: number, signal: AbortSignal): Promise<boolean> {
		while (this.#isHeard && this.#missed <= version) {
			const isHeard = await this.#nextPart(signal);
			if (this.#options.target.base?.version !== version) return true;
			if (!isHeard) this.#isHeard = false;
		}
		return false;
	}

	/** Waits for the next published part. @returns false if none arrives in time */
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
		if (!base || this.#isReading || (part.header && !isNext)) this.miss(version);
		// Not the rest of an update that was refused, or that began while it couldn't be applied.
		else if (!isNext || this.#missed < version) this.#add(part, base);
	}

	#add(part: UpdatePart, base: NonNullable<UpdateTarget["base"]>): void {
		const { runId, schema, target } = this.#options;
		try {
			this.#published ??= new UpdateReader(runId, schema, base.memory);
			const update = this.#published.add(part, base.version);
			if (update) target.apply(update);
		} catch (error) {
			this.#refused++;
			this.#published = undefined;
			this.miss(base.version + 1);
			log("a published update of run %s is refused: %s", runId, error);
		}
	}

	/** Reads the next updates from the coordinator. What is published meanwhile isn't used. */
	async #read(version: number, signal: AbortSignal): Promise<void> {
		this.#published = undefined;
		this.#missed = 0;
		this.#isReading = true;
		try {
			await raceAbort(this.#applyRead(signal), signal);
		} finally {
			this.#isReading = false;
		}
		const { base } = this.#options.target;
		if (!base || base.version >= version) return;
		const found = `the coordinator has no update after version ${base.version}, expected those to ${version}`;
		throw new TailtuneError("offline", `run ${this.#options.runId}: ${found}`);
	}

	async #applyRead(signal: AbortSignal): Promise<void> {
		const { runId, schema, source, target } = this.#options;
		let { base } = target;
		if (!base) return;
		const reader = new UpdateReader(runId, schema, base.memory);
		for await (const part of source.getUpdates(base.version, signal)) {
			// Parts that arrived before the end of the call follow even after it.
			signal.throwIfAborted();
			({ base } = target);
			const update = base && reader.add(part, base.version);
			if (update) target.apply(update);
		}
	}
}
