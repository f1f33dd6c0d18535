import { TailtuneError } from "../../shared/errors.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { tokenize } from "./tokenize.ts";

/** The maximum number of tokens of a text. */
export interface TokenLimit {
	readonly tokens: number;
	/** A longer text is cut (true) or refused (false). */
	readonly cut: boolean;
	/** Source of the limit for messages; for example "the model's context". */
	readonly reason: string;
}

/**
 * Returns the limit set by the settings and the model.
 * @param context the model's maximum number of tokens
 * @throws TailtuneError "usage" if --max-tokens or --pad is larger than the context
 */
export function tokenLimit({ maxTokens, pad }: Pick<TrainConfig, "maxTokens" | "pad">, context: number): TokenLimit {
	for (const [flag, value] of Object.entries({ "--max-tokens": maxTokens, "--pad": pad })) {
		if (typeof value === "number" && value > context) {
			throw new TailtuneError("usage", `${flag}: found ${value}, expected at most the model's context (${context})`);
		}
	}
	const padded = typeof pad === "number" ? pad : context;
	const longest = typeof maxTokens === "number" ? maxTokens : context;
	const reason = padded <= longest && padded < context ? `--pad ${padded}` : "the model's context";
	return { tokens: Math.min(padded, longest), cut: maxTokens !== undefined, reason };
}

/**
 * Tokenizes texts as far as the limit needs it. If longer texts are cut, tokenizing stops one token after the limit,
 * which shows that the text was longer. If they are refused, all tokens are computed, for the error message.
 */
export function tokenizeWithin(texts: readonly { readonly text: string }[], limit: TokenLimit): Promise<Uint32Array[]> {
	return tokenize(
		texts.map(({ text }) => text),
		limit.cut ? limit.tokens + 1 : undefined,
	);
}

/**
 * Cuts texts to the limit, or refuses the first one that is longer.
 * @param sources source of each text, for the message
 * @throws TailtuneError "data" that names the text, its tokens and the limit
 */
export function limitTokens(
	tokens: readonly Uint32Array[],
	sources: readonly string[],
	limit: TokenLimit,
): Uint32Array[] {
	return tokens.map((text, index) => {
		const refusal = lengthFault(text, sources[index] ?? "", limit);
		if (refusal) throw refusal;
		return text.length <= limit.tokens ? text : text.slice(0, limit.tokens);
	});
}

/** Returns the error of a text that is refused because it is longer than the limit; undefined if it isn't. */
export function lengthFault({ length }: Uint32Array, source: string, limit: TokenLimit): TailtuneError | undefined {
	if (length <= limit.tokens || limit.cut) return undefined;
	const allowed = `expected at most ${limit.tokens} (${limit.reason}), or --max-tokens context to cut longer texts`;
	return new TailtuneError("data", `${source}: found a text of ${length} tokens, ${allowed}`);
}

/**
 * Returns the length to which `--pad` pads every text; undefined if each batch is padded to its own longest text.
 * @param training tokens of the training texts, after the limit
 */
export function padLength(pad: TrainConfig["pad"], training: readonly Uint32Array[]): number | undefined {
	if (pad === "bucket") return undefined;
	if (typeof pad === "number") return pad;
	return training.reduce((longest, { length }) => Math.max(longest, length), 0);
}
