import type { GroupBudget } from "../plan/group-by-length.ts";

/** Something that waits for its turn, and how long it is. */
export interface Waiting {
	readonly tokens: Uint32Array;
}

/** Texts in the order in which they came. */
export class TextQueue<Entry extends Waiting> {
	readonly #entries = new Set<Entry>();
	#tokens = 0;

	get length(): number {
		return this.#entries.size;
	}

	/** Of all texts that wait. */
	get tokens(): number {
		return this.#tokens;
	}

	add(entry: Entry): void {
		this.#entries.add(entry);
		this.#tokens += entry.tokens.length;
	}

	/** Takes out one that isn't wanted any more. */
	remove(entry: Entry): void {
		if (this.#entries.delete(entry)) this.#tokens -= entry.tokens.length;
	}

	/** The one that has waited longest. */
	get oldest(): Entry | undefined {
		return this.#entries.values().next().value;
	}

	/** Takes out the one that has waited longest, and those most like it in length. */
	takeGroup({ texts, paddedTokens }: GroupBudget): Entry[] {
		const { oldest } = this;
		if (!oldest) return [];
		const distance = ({ tokens }: Entry) => Math.abs(tokens.length - oldest.tokens.length);
		// The sort keeps the order of equals: who came first goes first.
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
