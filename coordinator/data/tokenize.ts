import { LETTERS, NUMBERS } from "./unicode-classes.ts";

/**
 * Splits a text into words, with the pattern of GPT-2's authors; bytes are merged only within a word. `\s` in that
 * pattern means Unicode's white space, which differs from JavaScript's `\s` (U+0085 is white space, U+FEFF isn't).
 */
const WORDS = new RegExp(
	String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?[L]+| ?[N]+| ?[^\p{White_Space}LN]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+`
		.replaceAll("L", LETTERS)
		.replaceAll("N", NUMBERS),
	"gu",
);

const ASCII = /^[\0-\x7f]*$/;

// The tokens of known words are cached for this many texts, then the cache is emptied, which bounds its size.
const TEXTS_CACHED = 256;

/**
 * Tokenizes texts with GPT-2's byte-pair encoding: the same ids as tiktoken and Hugging Face's tokenizers. A special
 * token's name (for example `<|endoftext|>`) is ordinary text; half a surrogate pair counts as U+FFFD. An empty text
 * has no tokens.
 * @param atMost maximum number of tokens of a text; the rest of a longer text isn't read
 */
export async function tokenize(texts: readonly string[], atMost = Number.POSITIVE_INFINITY): Promise<Uint32Array[]> {
	// Loaded only when needed, because the vocabulary takes some time to load.
	const { LONG_WORD, mergeBytes, mergeByParts } = await import("./byte-pairs.ts");
	const cache = new Map<string, readonly number[]>();
	const encode = (word: string) => {
		const cached = cache.get(word);
		if (cached !== undefined) return cached;
		const bytes = ASCII.test(word) ? word : Buffer.from(word).toString("latin1");
		if (bytes.length > LONG_WORD) return mergeByParts(bytes);
		const tokens = mergeBytes(bytes);
		cache.set(word, tokens);
		return tokens;
	};
	return texts.map((text, index) => {
		if (index % TEXTS_CACHED === 0) cache.clear();
		const tokens: number[] = [];
		// Not matchAll, which copies the long pattern for each text.
		WORDS.lastIndex = 0;
		for (let match = WORDS.exec(text); match; match = WORDS.exec(text)) {
			for (const token of encode(match[0])) if (tokens.push(token) >= atMost) return new Uint32Array(tokens);
		}
		return new Uint32Array(tokens);
	});
}
