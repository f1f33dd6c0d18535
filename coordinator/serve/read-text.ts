import { TailtuneError } from "../../shared/errors.ts";
import { type DividedTokens, divideTokens } from "../data/divide-tokens.ts";
import { type TokenLimit, tokenizeWithin } from "../data/limit-tokens.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

/**
 * Tokenizes a text and divides it as the limit says.
 * @param mostWindows maximum number of windows, so that one call can't take the server for itself
 * @throws TailtuneError "data" if the text is empty, is refused as too long, or has too many windows
 */
export function readText(
	text: string,
	limit: Pick<TokenLimit, "tokens" | "long" | "affixes">,
	mostWindows: number,
	tokenizer: Pick<Tokenizer, "tokenize">,
): DividedTokens {
	if (text.trim() === "") throw new TailtuneError("data", "text: empty; expected at least one character");
	const { tokens: most, long } = limit;
	// A text that is refused needn't be tokenized to its end.
	const within = { tokens: most, long: long === "refuse" ? "cut" : long } as const;
	const [tokens = new Uint32Array()] = tokenizeWithin([{ text }], within, tokenizer);
	if (tokens.length === 0) throw new TailtuneError("data", "text: the model has no token for it");
	if (tokens.length > most && long === "refuse")
		throw new TailtuneError("data", `text: found more than ${most} tokens; expected at most that, or truncate`);
	const divided = divideTokens(tokens, limit);
	const { length } = divided.windows;
	if (length <= mostWindows) return divided;
	const found = `found ${tokens.length} tokens in ${length} windows, expected at most ${mostWindows} windows`;
	throw new TailtuneError("data", `text: ${found} (--max-queue)`);
}
