import { TailtuneError } from "../../shared/errors.ts";
import { type DividedTokens, divideTokens } from "../data/divide-tokens.ts";
import { type TokenLimit, tokenizeWithin } from "../data/limit-tokens.ts";

/**
 * Tokenizes a text and divides it as the limit says.
 * @param mostWindows maximum number of windows, so that one call can't take the server for itself
 * @throws TailtuneError "data" if the text is empty, is refused as too long, or has too many windows
 */
export async function readText(
	text: string,
	limit: Pick<TokenLimit, "tokens" | "long">,
	mostWindows: number,
): Promise<DividedTokens> {
	if (text.trim() === "") throw new TailtuneError("data", "text: empty; expected at least one character");
	const { tokens: most, long } = limit;
	// A text that is refused needn't be tokenized to its end.
	const [tokens = new Uint32Array()] = await tokenizeWithin([{ text }], {
		...{ tokens: most, reason: "" },
		long: long === "refuse" ? "cut" : long,
	});
	if (tokens.length > most && long === "refuse")
		throw new TailtuneError("data", `text: found more than ${most} tokens; expected at most that, or truncate`);
	const divided = divideTokens(tokens, limit);
	const { length } = divided.windows;
	if (length <= mostWindows) return divided;
	const found = `found ${tokens.length} tokens in ${length} windows, expected at most ${mostWindows} windows`;
	throw new TailtuneError("data", `text: ${found} (--max-queue)`);
}
