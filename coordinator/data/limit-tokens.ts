import { TailtuneError } from "../../shared/errors.ts";
import type { LongTexts, TrainConfig } from "../../shared/settings/config.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

/** The maximum number of tokens of a text, and the way in which longer texts are read. */
export interface TokenLimit {
	readonly tokens: number;
	readonly long: LongTexts;
	/** Source of the limit for messages; for example "the model's context". */
	readonly reason: string;
	/** How many of the tokens the tokenizer puts before and after every text; they are kept when a text is cut. */
	readonly affixes?: { readonly before: number; readonly after: number };
}

/**
 * Returns the number of tokens that the tokenizer puts before and after every text.
 * @throws TailtuneError "usage" if the limit leaves no token for the text
 */
export function countAffixes({ affixes }: Pick<Tokenizer, "affixes">, limit: TokenLimit): TokenLimit {
	const [before, after] = [affixes.before.length, affixes.after.length];
	if (before + after < limit.tokens) return { ...limit, affixes: { before, after } };
	const found = `found ${limit.tokens} (${limit.reason}), expected more than ${before + after}`;
	throw new TailtuneError("usage", `--max-tokens: ${found}, the tokens that the model's tokenizer adds to every text`);
}

/**
 * Returns the limit set by the settings and the model.
 * @param context the model's maximum number of tokens
 * @throws TailtuneError "usage" if --max-tokens or --pad is larger than the context
 */
export function tokenLimit(
	{ maxTokens, pad, long = "refuse" }: Pick<TrainConfig, "maxTokens" | "pad" | "long">,
	context: number,
): TokenLimit {
	for (const [flag, value] of Object.entries({ "--max-tokens": maxTokens, "--pad": pad })) {
		if (typeof value === "number" && value > context) {
			throw new TailtuneError("usage", `${flag}: found ${value}, expected at most the model's context (${context})`);
		}
	}
	const padded = typeof pad === "number" ? pad : context;
	const longest = typeof maxTokens === "number" ? maxTokens : context;
	const tokens = Math.min(padded, longest);
	return { tokens, long, reason: tokens === context ? "the model's context" : flagOfLimit(tokens, padded) };
}

function flagOfLimit(tokens: number, padded: number): string {
	return tokens === padded ? `--pad ${padded}` : `--max-tokens ${tokens}`;
}

/**
 * Tokenizes texts as far as the limit needs it. If longer texts are cut, tokenizing stops one token after the limit,
 * which shows that the text was longer.
 */
export function tokenizeWithin(
	texts: readonly { readonly text: string }[],
	limit: Pick<TokenLimit, "tokens" | "long">,
	tokenizer: Pick<Tokenizer, "tokenize">,
): Uint32Array[] {
	return tokenizer.tokenize(
		texts.map(({ text }) => text),
		limit.long === "cut" ? limit.tokens + 1 : undefined,
	);
}

/**
 * Returns the error of a text that is refused because it has no tokens, or is longer than the limit; undefined if it
 * isn't refused.
 */
export function lengthFault({ length }: Uint32Array, source: string, limit: TokenLimit): TailtuneError | undefined {
	if (length === 0) return new TailtuneError("data", `${source}: found a text for which the model has no token`);
	if (length <= limit.tokens || limit.long !== "refuse") return undefined;
	const allowed = `expected at most ${limit.tokens} (${limit.reason}); for longer texts use --long cut, head-tail or windows`;
	return new TailtuneError("data", `${source}: found a text of ${length} tokens, ${allowed}`);
}

/**
 * Returns the length to which `--pad` pads every text; undefined if each batch is padded to its own longest text.
 * @param training token sequences of the training texts, after the limit
 */
export function padLength(pad: TrainConfig["pad"], training: readonly Uint32Array[]): number | undefined {
	if (pad === "bucket") return undefined;
	if (typeof pad === "number") return pad;
	return training.reduce((longest, { length }) => Math.max(longest, length), 0);
}
