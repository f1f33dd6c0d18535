import { TailtuneError } from "../../shared/errors.ts";
import { tokenize } from "../data/tokenize.ts";

/** The tokens of a text. */
export interface ReadText {
	readonly tokens: Uint32Array;
	readonly truncated: boolean;
}

/**
 * Tokenizes a text; returns at least one token and at most `maxTokens`.
 * @param truncate whether a longer text is cut instead of refused
 * @throws TailtuneError "data" if the text is empty or too long
 */
export async function readText(text: string, maxTokens: number, truncate: boolean): Promise<ReadText> {
	if (text.trim() === "") throw new TailtuneError("data", "text: empty; expected at least one character");
	const [tokens = new Uint32Array()] = await tokenize([text], maxTokens + 1);
	const truncated = tokens.length > maxTokens;
	if (truncated && !truncate)
		throw new TailtuneError("data", `text: found more than ${maxTokens} tokens; expected at most that, or truncate`);
	return { tokens: tokens.slice(0, maxTokens), truncated };
}
