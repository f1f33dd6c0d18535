import type { UpdatePart } from "../../proto/gen/tailtune/v1/UpdatePart.ts";
import type { Update } from "../../shared/updates/updatable-state.ts";
import { toParts } from "./update-parts.ts";

/** Most bytes of a part's numbers: half of what a NATS server accepts as one message by default. */
const PART_BYTES = 512 * 2 ** 10;

/** Most bytes of the updates that are kept. */
const MOST_BYTES = 64 * 2 ** 20;

/** Most parts that are kept, because each takes about 1 kB of memory besides its numbers. */
const MOST_PARTS = 65_536;

export interface UpdateLogOptions {
	/** Most bytes of the updates that are kept; the last one is always kept. Default: 64 MiB. */
	readonly mostLogBytes?: number | undefined;
	/** Most bytes of a part's numbers. Default: 512 KiB. */
	readonly partBytes?: number | undefined;
}

interface Entry {
	readonly parts: readonly UpdatePart[];
	readonly bytes: number;
}

/** The last updates of a run in parts. A worker that needs an older update reads the state again. */
export class UpdateLog {
	readonly #mostBytes: number;
	readonly #partBytes: number;
	readonly #entries: Entry[] = [];
	#newest: number;
	#bytes = 0;
	#parts = 0;
	#isClosed = false;

	/** @param version of the state before the first update */
	constructor(version: number, { mostLogBytes = MOST_BYTES, partBytes = PART_BYTES }: UpdateLogOptions = {}) {
		this.#newest = version;
		this.#mostBytes = mostLogBytes;
		this.#partBytes = partBytes;
	}

	/** Version to which the last update leads. */
	get newest(): number {
		return this.#newest;
	}

	/** Number of updates that are kept. */
	get length(): number {
		return this.#entries.length;
	}

	/**
	 * Adds the next update, whose numbers are copied, and drops the oldest ones if there are too many.
	 * @returns its parts, whose arrays must not be changed
	 */
	append(update: Update): readonly UpdatePart[] {
		const parts = [...toParts(update, this.#partBytes)];
		const bytes = update.gradient.byteLength;
		this.#entries.push({ parts, bytes });
		this.#bytes += bytes;
		this.#parts += parts.length;
		this.#newest = update.version;
		while (this.#entries.length > 1 && (this.#bytes > this.#mostBytes || this.#parts > MOST_PARTS)) this.#dropOldest();
		return parts;
	}

	#dropOldest(): void {
		const oldest = this.#entries.shift();
		this.#bytes -= oldest?.bytes ?? 0;
		this.#parts -= oldest?.parts.length ?? 0;
	}

	/** Whether all updates after a version are kept. */
	reachesFrom(version: number): boolean {
		return version <= this.#newest && version >= this.#newest - this.#entries.length;
	}

	/**
	 * Yields the parts of all updates after `version`, up to the newest one; ends early if the log is closed. While it
	 * waits for its reader, it holds one part, so that a slow reader doesn't keep dropped updates in memory.
	 * @param onGap returns the error to throw if the next update, or the rest of one, isn't kept
	 */
	*after(version: number, onGap: () => Error): Generator<UpdatePart> {
		if (!this.reachesFrom(version)) throw onGap();
		for (let done = version; done < this.#newest; done++) {
			for (let i = 0; ; i++) {
				if (this.#isClosed) return;
				if (!this.reachesFrom(done)) throw onGap();
				const part = this.#part(done + 1, i);
				if (!part) break;
				yield part;
			}
		}
	}

	/** Part `i` of the update to a version; undefined after its last one. */
	#part(version: number, i: number): UpdatePart | undefined {
		return this.#entries[version - 1 + this.#entries.length - this.#newest]?.parts[i];
	}

	/** Ends all readers. */
	close(): void {
		this.#isClosed = true;
	}
}
