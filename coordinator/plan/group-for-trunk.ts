import { commonPrefixLength } from "../../shared/sequences/shared-rows.ts";

/**
 * Most rows of a group: enough for efficient matrix products in the trunk, few enough for activations to fit the cache.
 */
const MAX_ROWS = 1024;
/** Most padded tokens of a group: number of texts times the tokens of the longest one, the size of attention. */
const MAX_PADDED_TOKENS = 2 * MAX_ROWS;
/** Texts belong together if they share this many first tokens, and this fraction of their length. */
const PREFIX_TOKENS = 3;
const PREFIX_FRACTION = 1 / 8;

/**
 * Groups texts for the trunk. If attention is causal, texts with a common prefix are put together, because the trunk
 * computes a common prefix once; apart from that, texts of similar length. Groups come roughly longest first.
 * @param sequences effective sequences
 * @returns indices into `sequences`, each exactly once; the longest text of a group isn't always its first
 */
export function groupForTrunk(sequences: readonly Uint32Array[], isCausal: boolean): number[][] {
	const lengthOf = (text: number | undefined) => sequences[text ?? -1]?.length ?? 0;
	const clusters = isCausal ? clusterByPrefix(sequences) : [...sequences.keys()].map((text) => [text]);
	for (const cluster of clusters) cluster.sort((a, b) => lengthOf(b) - lengthOf(a));
	clusters.sort(([a], [b]) => lengthOf(b) - lengthOf(a));
	const groups: Group[] = [];
	for (const text of clusters.flat()) {
		const tokens = sequences[text] as Uint32Array;
		if (groups.at(-1)?.add(text, tokens)) continue;
		groups.push(new Group(text, tokens, isCausal));
	}
	return groups.map(({ texts }) => texts);
}

/**
 * Groups texts by a common prefix. A prefix must be long enough, since different lengths in a group slow attention
 * down.
 */
function clusterByPrefix(sequences: readonly Uint32Array[]): number[][] {
	const clusters = new Map<string, number[]>();
	for (const [text, tokens] of sequences.entries()) {
		// Lengths are rounded down to a power of 2, so that texts of similar length have prefixes of equal length.
		const roundedLength = 2 ** Math.floor(Math.log2(tokens.length));
		const prefix = tokens.subarray(0, Math.max(PREFIX_TOKENS, roundedLength * PREFIX_FRACTION)).join();
		const cluster = clusters.get(prefix);
		if (cluster) cluster.push(text);
		else clusters.set(prefix, [text]);
	}
	return [...clusters.values()];
}

/** Texts that the trunk computes together, at least one. */
class Group {
	readonly texts: number[];
	readonly #isCausal: boolean;
	readonly #sequences: Uint32Array[];
	/** Rows that the trunk computes: the tokens of all texts, shared prefixes once. */
	#rows: number;
	#longest: number;

	constructor(text: number, tokens: Uint32Array, isCausal: boolean) {
		this.texts = [text];
		this.#isCausal = isCausal;
		this.#sequences = [tokens];
		this.#rows = tokens.length;
		this.#longest = tokens.length;
	}

	/** Adds a text, or returns false if the group would become too large. */
	add(text: number, tokens: Uint32Array): boolean {
		const longest = Math.max(this.#longest, tokens.length);
		if ((this.texts.length + 1) * longest > MAX_PADDED_TOKENS) return false;
		const rows = this.#rows + tokens.length - this.#sharedWith(tokens);
		if (rows > MAX_ROWS) return false;
		this.texts.push(text);
		this.#sequences.push(tokens);
		this.#rows = rows;
		this.#longest = longest;
		return true;
	}

	/** Returns the length of the longest prefix that a text shares with one of the group. */
	#sharedWith(tokens: Uint32Array): number {
		if (!this.#isCausal) return 0;
		return this.#sequences.reduce((most, one) => Math.max(most, commonPrefixLength(one, tokens)), 0);
	}
}
