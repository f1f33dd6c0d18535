/** Largest number of words with cached tokens; then the cache is emptied. */
const WORDS_CACHED = 50_000;

/** The tokens of longer words aren't cached; in UTF-16 units. */
const LONGEST_CACHED = 100;

/** Returns the ids of a word. */
export type EncodeWord = (word: string) => readonly number[];

/** Returns the same encoder with a cache. */
export function cacheWords(encode: EncodeWord): EncodeWord {
	const known = new Map<string, readonly number[]>();
	return (word) => {
		if (word.length > LONGEST_CACHED) return encode(word);
		const found = known.get(word);
		if (found !== undefined) return found;
		const tokens = encode(word);
		if (known.size >= WORDS_CACHED) known.clear();
		known.set(word, tokens);
		return tokens;
	};
}
