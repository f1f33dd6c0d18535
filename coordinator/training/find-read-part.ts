import { tokenizeWithin } from "../data/limit-tokens.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

/** Returns the beginning of a text that is read if only its first tokens are. @param tokens number of these */
export function findReadPart(text: string, tokens: number, tokenizer: Pick<Tokenizer, "tokenize">): string {
	const limit = { tokens, long: "cut" } as const;
	let [least, most] = [0, text.length];
	while (least < most) {
		const middle = Math.floor((least + most) / 2);
		const [found] = tokenizeWithin([{ text: text.slice(0, middle) }], limit, tokenizer);
		if ((found?.length ?? 0) < tokens) least = middle + 1;
		else most = middle;
	}
	return text.slice(0, least);
}
