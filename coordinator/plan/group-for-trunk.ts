import { commonBeginning } from "../../shared/sequences/shared-rows.ts";

/** Wide enough for full matrix products in the trunk, small enough for its activations to stay in the cache. */
const ROWS = 1024;
/** Texts times tokens of the longest, what attention works on. */
const PADDED_TOKENS = 2 * ROWS;
/** Texts are computed together that have so many first tokens in common, and so large a share of their lengths. */
const COMMON_TOKENS = 3;
const COMMON_SHARE = 1 / 8;

/**
 * Groups texts for the trunk. Where attention is causal those that begin alike come together, since the trunk computes a
 * common beginning once; beside that, groups are of similar length, about the longest first.
 * @param sequences effective sequences
 * @returns indices into `sequences`, each exactly once, a group's longest text not always first
 */
export function groupForTrunk(sequences: readonly Uint32Array[], isCausal: boolean): number[][] {
	const lengthOf = (text: number | undefined) => sequences[text ?? -1]?.length ?? 0;
	const families = isCausal ? familiesOf(sequences) : [...sequences.keys()].map((text) => [text]);
	for (const family of families) family.sort((a, b) => lengthOf(b) - lengthOf(a));
	families.sort(([a], [b]) => lengthOf(b) - lengthOf(a));
	const groups: Group[] = [];
	for (const text of families.flat()) {
		const tokens = sequences[text] as Uint32Array;
		if (groups.at(-1)?.take(text, tokens)) continue;
		groups.push(new Group(text, tokens, isCausal));
	}
	return groups.map(({ texts }) => texts);
}

/** Texts that begin alike. Where that saves little, attention loses more to lengths that differ. */
function familiesOf(sequences: readonly Uint32Array[]): number[][] {
	const families = new Map<string, number[]>();
	for (const [text, tokens] of sequences.entries()) {
		// Of the length only its order of magnitude decides, so that a text and a somewhat longer one are of a family.
		const magnitude = 2 ** Math.floor(Math.log2(tokens.length));
		const beginning = tokens.subarray(0, Math.max(COMMON_TOKENS, magnitude * COMMON_SHARE)).join();
		const family = families.get(beginning);
		if (family) family.push(text);
		else families.set(beginning, [text]);
	}
	return [...families.values()];
}

/** Texts that are computed together, at least one. */
class Group {
	readonly texts: number[];
	readonly #isCausal: boolean;
	readonly #sequences: Uint32Array[];
	/** That the trunk computes. */
	#rows: number;
	#longest: number;

	constructor(text: number, tokens: Uint32Array, isCausal: boolean) {
		this.texts = [text];
		this.#isCausal = isCausal;
		this.#sequences = [tokens];
		this.#rows = tokens.length;
		this.#longest = tokens.length;
	}

	/** Takes the text in, or returns false where there is no room. */
	take(text: number, tokens: Uint32Array): boolean {
		const longest = Math.max(this.#longest, tokens.length);
		if ((this.texts.length + 1) * longest > PADDED_TOKENS) return false;
		const rows = this.#rows + tokens.length - this.#known(tokens);
		if (rows > ROWS) return false;
		this.texts.push(text);
		this.#sequences.push(tokens);
		this.#rows = rows;
		this.#longest = longest;
		return true;
	}

	/** First tokens of a text that one of the group begins with too. */
	#known(tokens: Uint32Array): number {
		if (!this.#isCausal) return 0;
		return this.#sequences.reduce((most, one) => Math.max(most, commonBeginning(one, tokens)), 0);
	}
}
