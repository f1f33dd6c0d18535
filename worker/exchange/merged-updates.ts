import { TailtuneError } from "../../shared/errors.ts";
import { raceAbort } from "../../shared/race-abort.ts";
import { PublishedUpdates, type PublishedUpdatesOptions } from "./published-updates.ts";
import { UpdateReader } from "./update-reader.ts";

/**
 * Applies a run's updates in order. They are published to all workers at once; one that is missing, late or wrong is
 * read from the coordinator, which keeps the last ones.
 */
export class MergedUpdates {
	readonly #options: PublishedUpdatesOptions;
	readonly #published: PublishedUpdates;
	/** Number of wrong parts that the coordinator knows of. */
	#reported = 0;
	#stop = new AbortController();

	/** Begins to watch what is published at once. */
	constructor(options: PublishedUpdatesOptions) {
		this.#options = options;
		this.#published = new PublishedUpdates(options);
	}

	/** Number of published parts that were wrong. */
	get refused(): number {
		return this.#published.refused;
	}

	/** Notes that updates up to a version may have been published before the state was read. */
	miss(version: number): void {
		this.#published.miss(version);
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
			if (!(await this.#published.waitForNext(base.version, signal))) await this.#read(version, signal);
	}

	/** Ends a wait for updates, and forgets an update that isn't complete. */
	drop(why: TailtuneError): void {
		this.#stop.abort(why);
		this.#stop = new AbortController();
		this.#published.drop();
	}

	/** Reads the next updates, at least those that lead to a version. */
	async #read(version: number, signal: AbortSignal): Promise<void> {
		this.#published.pause();
		try {
			await raceAbort(this.#applyRead(signal), signal);
		} finally {
			this.#published.resume();
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
		const wanted = { parameterVersion: base.version, refusedParts: this.refused - this.#reported };
		this.#reported = this.refused;
		for await (const part of source.getUpdates(wanted, signal)) {
			// Parts that arrived before the end of the call follow even after it.
			signal.throwIfAborted();
			({ base } = target);
			const update = base && reader.add(part, base.version);
			if (update) target.apply(update);
		}
	}
}
