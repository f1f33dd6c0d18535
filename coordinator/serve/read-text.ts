import { tokenize } from "../../shared/data/tokenize.ts";
import { TailtuneError } from "../../shared/errors.ts";

/** A text as the model reads it. */
export interface ReadText {
	readonly tokens: Uint32Array;
	readonly truncated: boolean;
}

/** The tokenizer takes time that grows with the square of a word's length, and fails on very long ones. */
const LONGEST_WORD = 2048;

/** Runs of one kind of character, as the tokenizer takes them for words; spaces cost it nothing. */
const WORDS = /\p{L}+|\p{N}+|[^\s\p{L}\p{N}]+/gu;

/**
 * Tokens of a text, at least one and at most `maxTokens`.
 * @param truncate cut a longer text instead of refusing it
 * @throws TailtuneError "data" for a text that is empty, too long, or has a word too long to be one
 */
export async function readText(text: string, maxTokens: number, truncate: boolean): Promise<ReadText> {
	if (text.trim() === "") throw new TailtuneError("data", "text: empty; expected at least one character");
	checkWords(text, maxTokens);
	const [tokens = new Uint32Array()] = await tokenize([text], maxTokens + 1);
	const truncated = tokens.length > maxTokens;
	if (truncated && !truncate)
		throw new TailtuneError("data", `text: found more than ${maxTokens} tokens; expected at most that, or truncate`);
	return { tokens: tokens.slice(0, maxTokens), truncated };
}

/** Looks no further than the tokenizer will: a word has one token at least. */
function checkWords(text: string, maxTokens: number): void {
	if (text.length <= LONGEST_WORD) return;
	let words = 0;
	for (const [{ length }] of text.matchAll(WORDS)) {
		if (length > LONGEST_WORD)
			throw new TailtuneError("data", `text: a word of ${length} characters, expected at most ${LONGEST_WORD}`);
		if (++words > maxTokens) return;
	}
}
