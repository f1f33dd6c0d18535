import { EventEmitter, once } from "node:events";
import type { FollowUpdatesResponse } from "../../proto/gen/tailtune/v1/FollowUpdatesResponse.ts";
import { KeptParts } from "../../shared/exchange/tensor-stream.ts";
import type { Update } from "../../shared/updates/updatable-state.ts";

/** Most bytes of the updates that are kept. */
const MOST_BYTES = 64 * 2 ** 20;

/** Most messages that are kept, because each takes about 1 kB of memory besides its numbers. */
const MOST_MESSAGES = 65_536;

interface Entry {
	readonly messages: readonly FollowUpdatesResponse[];
	readonly bytes: number;
}

/**
 * The last updates of a run as messages, which are made once for all workers. A worker that needs an older update reads
 * the state again.
 */
export class UpdateLog {
	readonly #mostBytes: number;
	readonly #changes = new EventEmitter().setMaxListeners(0);
	readonly #entries: Entry[] = [];
	#newest: number;
	#bytes = 0;
	#messages = 0;
	#isClosed = false;

	/**
	 * @param version of the state before the first update
	 * @param mostBytes of the updates that are kept; the last one is always kept. Default: 64 MiB
	 */
	constructor(version: number, mostBytes = MOST_BYTES) {
		this.#newest = version;
		this.#mostBytes = mostBytes;
	}

	/** Version to which the last update leads. */
	get newest(): number {
		return this.#newest;
	}

	/** Number of updates that are kept. */
	get length(): number {
		return this.#entries.length;
	}

	/** Adds the next update, whose numbers are copied, and drops the oldest ones if there are too many. */
	append({ version, texts, scalars, gradient }: Update): void {
		const copy = gradient.slice();
		const header = { parameterVersion: version, texts, scalars };
		const messages = [{ header }, ...new KeptParts(copy).after(0)] as FollowUpdatesResponse[];
		this.#entries.push({ messages, bytes: copy.byteLength });
		this.#bytes += copy.byteLength;
		this.#messages += messages.length;
		this.#newest = version;
		while (this.#entries.length > 1 && (this.#bytes > this.#mostBytes || this.#messages > MOST_MESSAGES))
			this.#dropOldest();
		this.#changes.emit("change");
	}

	#dropOldest(): void {
		const oldest = this.#entries.shift();
		this.#bytes -= oldest?.bytes ?? 0;
		this.#messages -= oldest?.messages.length ?? 0;
	}

	/** Whether all updates after a version are kept. */
	reachesFrom(version: number): boolean {
		return version <= this.#newest && version >= this.#newest - this.#entries.length;
	}

	/**
	 * Yields the messages of all updates after `version`, and waits for later ones until the log is closed. While it
	 * waits for its reader, it holds one message, so that a slow reader doesn't keep dropped updates in memory.
	 * @param onGap returns the error to throw if the next update, or the rest of one, isn't kept
	 */
	async *follow(version: number, signal: AbortSignal, onGap: () => Error): AsyncGenerator<FollowUpdatesResponse> {
		for (let done = version; ; done++) {
			if (!this.reachesFrom(done)) throw onGap();
			while (done === this.#newest && !this.#isClosed) await once(this.#changes, "change", { signal });
			if (this.#isClosed) return;
			for (let i = 0; ; i++) {
				if (!this.reachesFrom(done)) throw onGap();
				const message = this.#message(done + 1, i);
				if (!message) break;
				yield message;
			}
		}
	}

	/** Message `i` of the update to a version; undefined after its last one. */
	#message(version: number, i: number): FollowUpdatesResponse | undefined {
		return this.#entries[version - 1 + this.#entries.length - this.#newest]?.messages[i];
	}

	/** Ends all streams. */
	close(): void {
		this.#isClosed = true;
		this.#changes.emit("change");
	}
}
