import { escapePattern } from "./split-text.ts";
import type { AddedToken } from "./tokenizer-definition.ts";

const SPACE = /\p{White_Space}/u;
const WORD_AT_START = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const WORD_AT_END = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;

/** A piece of a text: ordinary text, or the id of an added token. */
export type Piece = string | number;

/**
 * Returns a function that splits a text at added tokens. From left to right, and the longest one of several that begin
 * at the same place, as in Hugging Face's tokenizers.
 * @param tokens of equal contents the first one counts; white space around a token is part of it if its flags say so
 */
export function createSplitter(tokens: readonly AddedToken[]): (text: string) => Piece[] {
	if (tokens.length === 0) return (text) => (text === "" ? [] : [text]);
	const longestFirst = [...tokens].sort((a, b) => b.content.length - a.content.length);
	const pattern = new RegExp(longestFirst.map(({ content }) => escapePattern(content)).join("|"), "gu");
	const byContent = new Map(tokens.toReversed().map((token) => [token.content, token]));
	return (text) => {
		const pieces: Piece[] = [];
		let done = 0;
		for (const match of text.matchAll(pattern)) {
			const token = byContent.get(match[0]) as AddedToken;
			let start = match.index;
			let end = start + match[0].length;
			if (start < done || (token.single_word && !isWholeWord(text, start, end))) continue;
			while (token.lstrip && start > done && SPACE.test(text[start - 1] as string)) start--;
			while (token.rstrip && end < text.length && SPACE.test(text[end] as string)) end++;
			if (start > done) pieces.push(text.slice(done, start));
			pieces.push(token.id);
			done = end;
		}
		if (done < text.length) pieces.push(text.slice(done));
		return pieces;
	};
}

function isWholeWord(text: string, start: number, end: number): boolean {
	return !WORD_AT_END.test(text.slice(Math.max(0, start - 2), start)) && !WORD_AT_START.test(text.slice(end, end + 2));
}
