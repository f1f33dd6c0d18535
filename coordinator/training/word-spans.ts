/** A part of a text, in UTF-16 units. */
export interface TextSpan {
	readonly start: number;
	readonly end: number;
}

/** A run of characters without a space that is longer than this is divided by the rules of its language. */
const LONGEST_WORD = 30;

const segmenter = new Intl.Segmenter("und", { granularity: "word" });

/**
 * Divides a text into words, and joins neighbours so that there are at most `most` parts of similar numbers of words.
 * Languages without spaces are divided by Unicode's rules.
 */
export function listWordSpans(text: string, most: number): TextSpan[] {
	const words = [...text.matchAll(/\S+/gu)].flatMap(({ 0: word, index }) => divideWord(word, index));
	const size = Math.ceil(words.length / most);
	if (size <= 1) return words;
	const groups = Array.from({ length: Math.ceil(words.length / size) }, (_, i) =>
		words.slice(i * size, (i + 1) * size),
	);
	return groups.flatMap((group) => {
		const [first, last] = [group[0], group.at(-1)];
		return first && last ? [{ start: first.start, end: last.end }] : [];
	});
}

function divideWord(word: string, start: number): TextSpan[] {
	if (word.length <= LONGEST_WORD) return [{ start, end: start + word.length }];
	return [...segmenter.segment(word)].map(({ segment, index }) => ({
		start: start + index,
		end: start + index + segment.length,
	}));
}

/** Returns a text without one part of it, and without the space before that. */
export function removeSpan(text: string, { start, end }: TextSpan): string {
	const before = text.slice(0, start).trimEnd();
	return before === "" ? text.slice(end).trimStart() : before + text.slice(end);
}
