import { ID_OF_BYTES, TOKEN_BYTES } from "./gpt2-vocabulary.ts";

// Words are byte strings here: one character from U+0000 to U+00FF for each byte.

/** Longest word, in bytes, that is merged as a whole: the time of a merge grows with the square of the length. */
export const LONG_WORD = 128;

/** Stands for the id of a pair that isn't a token. */
const NONE = Number.POSITIVE_INFINITY;

/**
 * Encodes a word. Starts with its bytes as tokens, and merges the two neighbours that form the token with the lowest
 * id, until no two neighbours form a token.
 * @param below only tokens with an id below this one are formed; default: all
 */
export function mergeBytes(word: string, below = NONE): number[] {
	const whole = ID_OF_BYTES.get(word) ?? NONE;
	if (whole < below) return [whole];
	// For each part: its start, and the token id of this part merged with the next one.
	const starts: number[] = [];
	const pairs: number[] = [];
	for (let i = 0; i <= word.length; i++) starts.push(i);
	for (let i = 0; i < word.length; i++) pairs.push(pairAt(word, starts, i));
	for (let best = indexOfLowest(pairs); (pairs[best] ?? NONE) < below; best = indexOfLowest(pairs)) {
		starts.splice(best + 1, 1);
		pairs.splice(best + 1, 1);
		pairs[best] = pairAt(word, starts, best);
		if (best > 0) pairs[best - 1] = pairAt(word, starts, best - 1);
	}
	for (let i = 0; i < pairs.length; i++) pairs[i] = ID_OF_BYTES.get(word.slice(starts[i], starts[i + 1])) as number;
	return pairs;
}

/** Returns the token id of a part merged with the next one. */
function pairAt(word: string, starts: readonly number[], part: number): number {
	const end = starts[part + 2];
	return end === undefined ? NONE : (ID_OF_BYTES.get(word.slice(starts[part], end)) ?? NONE);
}

/** Yields the same tokens as `mergeBytes`, in linear time: for long words. */
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
 * Returns the next tokens of a word from `start` on, computed from a window of it; none if the window is too short.
 *
 * A sequence of tokens is a word's encoding if each pair of neighbours is the encoding of its bytes, whatever surrounds
 * them. So a window can be cut between two tokens if the bytes after the cut, encoded alone, begin with the token that
 * follows the cut in the window: both sides share that token, and both are encodings.
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

/** Returns the index of the lowest number, the first one of several equal ones. */
function indexOfLowest(numbers: readonly number[]): number {
	let best = 0;
	for (let i = 1; i < numbers.length; i++) if ((numbers[i] as number) < (numbers[best] as number)) best = i;
	return best;
}
