/** What GPT-2's encoding takes for words, in its authors' pattern: it merges bytes within one only. */
const WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** Characters that are encoded at once: the encoder's time grows with their square. */
const WINDOW = 256;

export interface WordEncoder {
	/** Tokens of one word, or of a part of one. */
	encode(word: string): readonly number[];
	/** Bytes of UTF-8 that a token stands for. */
	bytesOf(token: number): number;
}

/** Whether there is a word that is better encoded by parts among the text's first `atMost`. */
export function hasLongWord(text: string, atMost = Number.POSITIVE_INFINITY): boolean {
	if (text.length <= WINDOW) return false;
	let words = 0;
	for (const [{ length }] of text.matchAll(WORDS)) {
		if (length > WINDOW) return true;
		if (++words >= atMost) return false;
	}
	return false;
}

/** The text's tokens, some at a time: those of encoding each word as a whole, in time that grows with its length. */
export function* encodeByParts(text: string, encoder: WordEncoder): Generator<readonly number[]> {
	for (const [word] of text.matchAll(WORDS)) {
		let rest = word;
		let window = WINDOW;
		while (rest.length > window) {
			const start = firstTokens(rest, window, encoder);
			if (start) {
				yield start.tokens;
				rest = rest.slice(start.characters);
			}
			window = start ? WINDOW : 2 * window;
		}
		yield encoder.encode(rest);
	}
}

/**
 * A word's first tokens, found by looking at a window of it; undefined where that is too short to tell.
 *
 * Tokens are a word's encoding if each two neighbours are the encoding of their bytes, whatever is around them. So a window
 * can be cut where what is behind, encoded from there on, begins with the token that the window goes on with: they share
 * it, and both are encodings.
 */
function firstTokens(word: string, window: number, { encode, bytesOf }: WordEncoder) {
	const part = word.slice(0, window);
	const tokens = encode(part);
	const bytes = Buffer.from(part);
	const ends: number[] = [];
	for (const token of tokens) ends.push((ends.at(-1) ?? 0) + bytesOf(token));
	for (let count = tokens.length >> 1; count > 0; count--) {
		const end = ends[count - 1] ?? 0;
		const isWithinCharacter = ((bytes[end] ?? 0) & 0xc0) === 0x80;
		if (isWithinCharacter) continue;
		const characters = bytes.toString("utf8", 0, end).length;
		const [next] = encode(word.slice(characters, characters + window));
		if (next === tokens[count]) return { tokens: tokens.slice(0, count), characters };
	}
	return undefined;
}
