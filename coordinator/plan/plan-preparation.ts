import { effectiveSequence, type Padding, paddingMatters } from "../../shared/data/effective-sequence.ts";
import { PrefixTree } from "../../shared/data/prefix-tree.ts";
import { type PlannedPart, type PlannedText, partsByShard } from "./planned-part.ts";

/** Wide enough for full matrix products in the trunk, small enough for its activations to stay in the cache. */
const ROWS = 1024;
/** Texts times tokens of the longest, what attention works on. */
const PADDED_TOKENS = 2 * ROWS;
/** Texts with so many first tokens in common are computed together; with fewer, length would vary more than it saves. */
const COMMON_TOKENS = 3;

/**
 * Parts that have each shard compute the features of each of its distinct token sequences once. Texts that begin alike
 * come together, since the trunk computes a common beginning once where attention is causal; beside that, groups are of
 * similar length, longest first. Empty where padding matters and depends on the batch: features then change with it.
 * @param texts all texts of the run
 */
export function planPreparation(texts: readonly PlannedText[], padding: Padding): PlannedPart[] {
	if (paddingMatters(padding) && padding.padTo === undefined) return [];
	const groups = distinctByShard(texts, padding).flatMap((distinct) => groupsOf(distinct, padding.causal));
	groups.sort(([a], [b]) => lengthOf(b) - lengthOf(a));
	return groups.flatMap((group, part) =>
		partsByShard(
			group.map(({ text }) => text),
			part,
		),
	);
}

interface Distinct {
	readonly text: PlannedText;
	/** Its effective sequence. */
	readonly tokens: Uint32Array;
}

function lengthOf(distinct: Distinct | undefined): number {
	return distinct?.tokens.length ?? 0;
}

/** For each shard, the first text of every effective sequence. */
function distinctByShard(texts: readonly PlannedText[], padding: Padding): Distinct[][] {
	const shards = new Map<number, Map<string, Distinct>>();
	for (const text of texts) {
		const { tokens } = effectiveSequence(text.tokens, padding, text.tokens.length);
		const known = shards.get(text.shard) ?? new Map<string, Distinct>();
		shards.set(text.shard, known);
		const key = tokens.join();
		if (!known.has(key)) known.set(key, { text, tokens });
	}
	return [...shards.values()].map((distinct) => [...distinct.values()]);
}

function groupsOf(distinct: readonly Distinct[], isCausal: boolean): Distinct[][] {
	const families = isCausal ? familiesOf(distinct) : distinct.map((one) => [one]);
	families.sort(([a], [b]) => lengthOf(b) - lengthOf(a));
	const groups: Group[] = [];
	for (const next of families.flat()) {
		if (groups.at(-1)?.take(next)) continue;
		groups.push(new Group(next, isCausal));
	}
	return groups.map(({ members }) => members);
}

/** Texts whose features are computed together. */
class Group {
	readonly members: Distinct[];
	readonly #isCausal: boolean;
	readonly #tree = new PrefixTree();
	/** That the trunk computes. */
	#rows: number;
	#longest: number;

	constructor(first: Distinct, isCausal: boolean) {
		this.members = [first];
		this.#isCausal = isCausal;
		this.#tree.add(first.tokens);
		this.#rows = first.tokens.length;
		this.#longest = first.tokens.length;
	}

	/** Takes the text in, or returns false where there is no room. */
	take(next: Distinct): boolean {
		const rows = this.#rows + (this.#isCausal ? this.#tree.countNew(next.tokens) : next.tokens.length);
		const longest = Math.max(this.#longest, next.tokens.length);
		if (rows > ROWS || (this.members.length + 1) * longest > PADDED_TOKENS) return false;
		this.members.push(next);
		this.#tree.add(next.tokens);
		this.#rows = rows;
		this.#longest = longest;
		return true;
	}
}

/** Texts that begin alike, each family's longest first. */
function familiesOf(distinct: readonly Distinct[]): Distinct[][] {
	const families = new Map<string, Distinct[]>();
	for (const one of distinct) {
		const beginning = one.tokens.subarray(0, COMMON_TOKENS).join();
		const family = families.get(beginning);
		if (family) family.push(one);
		else families.set(beginning, [one]);
	}
	return [...families.values()].map((family) => family.sort((a, b) => lengthOf(b) - lengthOf(a)));
}
