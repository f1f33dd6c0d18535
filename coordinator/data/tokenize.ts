import { LETTERS, NUMBERS } from "./unicode-classes.ts";

/**
 * GPT-2's words, in its authors' pattern: bytes are merged within a word only. `\s` of that pattern is Unicode's white space,
 * which JavaScript's `\s` is not (U+0085 is white space, U+FEFF is none).
 */
const WORDS = new RegExp(
	String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?[L]+| ?[N]+| ?[^\p{White_Space}LN]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+`
		.replaceAll("L", LETTERS)
		.replaceAll("N", NUMBERS),
	"gu",
);

const ASCII = /^[\0-\x7f]*$/;

// The words of so many texts are remembered with their tokens: the memory pays off at once, but takes room.
const TEXTS_REMEMBERED = 256;

/**
 * Tokens of texts by GPT-2's byte-pair encoding: the ids that tiktoken and Hugging Face's tokenizers give. A special token's
 * name (as in `<|endoftext|>`) is ordinary text; half a surrogate pair counts as U+FFFD. An empty text has no tokens.
 * @param atMost only so many first tokens of each text; the rest of a long text isn't looked at
 */
export async function tokenize(texts: readonly string[], atMost = Number.POSITIVE_INFINITY): Promise<Uint32Array[]> {
	// The vocabulary takes a moment to load; a command that needs no tokens doesn't wait for it.
	const { LONG_WORD, mergeBytes, mergeByParts } = await import("./byte-pairs.ts");
	const remembered = new Map<string, readonly number[]>();
	const encode = (word: string) => {
		const known = remembered.get(word);
		if (known !== undefined) return known;
		const bytes = ASCII.test(word) ? word : Buffer.from(word).toString("latin1");
		if (bytes.length > LONG_WORD) return mergeByParts(bytes);
		const tokens = mergeBytes(bytes);
		remembered.set(word, tokens);
		return tokens;
	};
	return texts.map((text, index) => {
		if (index % TEXTS_REMEMBERED === 0) remembered.clear();
		const tokens: number[] = [];
		// Not by matchAll: it copies the pattern, which is long, for each text.
		WORDS.lastIndex = 0;
		for (let match = WORDS.exec(text); match; match = WORDS.exec(text)) {
			for (const token of encode(match[0])) if (tokens.push(token) >= atMost) return new Uint32Array(tokens);
		}
		return new Uint32Array(tokens);
	});
}
