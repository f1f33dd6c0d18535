import type { GroupBudget } from "../plan/group-by-length.ts";

/** An entry of the queue. */
export interface QueuedText {
	readonly tokens: Uint32Array;
}

/** Waiting texts in order of arrival. */
export class TextQueue<Entry extends QueuedText> {
	readonly #entries = new Set<Entry>();
	#tokens = 0;

	get length(): number {
		return this.#entries.size;
	}

	/** Number of tokens of all waiting texts. */
	get tokens(): number {
		return this.#tokens;
	}

	add(entry: Entry): void {
		this.#entries.add(entry);
		this.#tokens += entry.tokens.length;
	}

	/** Removes an entry that is no longer needed. */
	remove(entry: Entry): void {
		if (this.#entries.delete(entry)) this.#tokens -= entry.tokens.length;
	}

	/** The entry that has waited longest. */
	get oldest(): Entry | undefined {
		return this.#entries.values().next().value;
	}

	/** Removes and returns the entry that has waited longest and the entries of the most similar length. */
	takeGroup({ texts, paddedTokens }: GroupBudget): Entry[] {
		const { oldest } = this;
		if (!oldest) return [];
		const distance = ({ tokens }: Entry) => Math.abs(tokens.length - oldest.tokens.length);
		// The sort is stable, so of equal lengths the earlier entry comes first.
		const candidates = [...this.#entries].sort((a, b) => distance(a) - distance(b));
		const group: Entry[] = [];
		let longest = 0;
		for (const entry of candidates) {
			const padded = Math.max(longest, entry.tokens.length) * (group.length + 1);
			if (group.length > 0 && (group.length >= texts || padded > paddedTokens)) break;
			longest = Math.max(longest, entry.tokens.length);
			group.push(entry);
		}
		for (const entry of group) this.remove(entry);
		return group;
	}
}
