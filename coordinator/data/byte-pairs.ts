import { ID_OF_BYTES, TOKEN_BYTES } from "./gpt2-vocabulary.ts";

// Words travel here as bytes: strings with one character from U+0000 to U+00FF for each byte.

/** Bytes that are merged at once: the time for them grows with their square. */
export const LONG_WORD = 128;

/** A pair that is no token. */
const NONE = Number.POSITIVE_INFINITY;

/**
 * Tokens of a word: its bytes, of which the two neighbours that make the token with the lowest id are merged, again and
 * again, until no two neighbours make a token.
 * @param below only tokens with a lower id are made; default: any
 */
export function mergeBytes(word: string, below = NONE): number[] {
	const whole = ID_OF_BYTES.get(word) ?? NONE;
	if (whole < below) return [whole];
	// Where each part begins, and the id of each part merged with the next one.
	const starts: number[] = [];
	const pairs: number[] = [];
	for (let i = 0; i <= word.length; i++) starts.push(i);
	for (let i = 0; i < word.length; i++) pairs.push(pairAt(word, starts, i));
	for (let best = lowest(pairs); (pairs[best] ?? NONE) < below; best = lowest(pairs)) {
		starts.splice(best + 1, 1);
		pairs.splice(best + 1, 1);
		pairs[best] = pairAt(word, starts, best);
		if (best > 0) pairs[best - 1] = pairAt(word, starts, best - 1);
	}
	for (let i = 0; i < pairs.length; i++) pairs[i] = ID_OF_BYTES.get(word.slice(starts[i], starts[i + 1])) as number;
	return pairs;
}

/** The id of a part merged with the next one. */
function pairAt(word: string, starts: readonly number[], part: number): number {
	const end = starts[part + 2];
	return end === undefined ? NONE : (ID_OF_BYTES.get(word.slice(starts[part], end)) ?? NONE);
}

/** Tokens of a long word, one after the other: those of `mergeBytes`, in time that grows with the word's length. */
export function* mergeByParts(word: string): Generator<number> {
	let done = 0;
	for (let window = LONG_WORD; word.length - done > window; ) {
		const tokens = firstTokens(word, done, window);
		yield* tokens;
		for (const token of tokens) done += (TOKEN_BYTES[token] as string).length;
		window = tokens.length > 0 ? LONG_WORD : 2 * window;
	}
	yield* mergeBytes(word.slice(done));
}

/**
 * Tokens at a place of a word, found by looking at a window of it; none if the window is too short to tell.
 *
 * Tokens are a word's encoding if each two neighbours are the encoding of their bytes, whatever is around them. So a window
 * can be cut if what follows the cut, encoded from there on, begins with the token that follows the cut in the window: both
 * sides share that token, and both are encodings.
 */
function firstTokens(word: string, start: number, window: number): readonly number[] {
	const tokens = mergeBytes(word.slice(start, start + window));
	const ends: number[] = [];
	for (const token of tokens) ends.push((ends.at(-1) ?? start) + (TOKEN_BYTES[token] as string).length);
	for (let count = tokens.length >> 1; count > 0; count--) {
		const end = ends[count - 1] as number;
		if (mergeBytes(word.slice(end, end + window))[0] === tokens[count]) return tokens.slice(0, count);
	}
	return [];
}

/** Where the lowest number is, the first of equals. */
function lowest(numbers: readonly number[]): number {
	let best = 0;
	for (let i = 1; i < numbers.length; i++) if ((numbers[i] as number) < (numbers[best] as number)) best = i;
	return best;
}
