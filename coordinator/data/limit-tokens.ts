import { TailtuneError } from "../../shared/errors.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";
import { tokenize } from "./tokenize.ts";

/** The most tokens that a text may have. */
export interface TokenLimit {
	readonly tokens: number;
	/** A longer text is cut (true) or refused (false). */
	readonly cut: boolean;
	/** What sets the limit, as in "the model's context". */
	readonly reason: string;
}

/**
 * The limit that the settings and the model set.
 * @param context the most tokens that the model takes
 * @throws TailtuneError "usage" where --max-tokens or --pad asks for more than the context
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
 * Tokens of texts, as far as the limit has a use for them: of a text that will be cut one more than it allows, which shows
 * that it was longer; of any other all, so that a refusal can tell how many there are.
 */
export function tokenizeWithin(texts: readonly { readonly text: string }[], limit: TokenLimit): Promise<Uint32Array[]> {
	return tokenize(
		texts.map(({ text }) => text),
		limit.cut ? limit.tokens + 1 : undefined,
	);
}

/**
 * Cuts texts to the limit, or refuses the first that is longer.
 * @param sources where each text comes from, for the message
 * @throws TailtuneError "data" that names the text, its tokens and the limit
 */
export function limitTokens(
	tokens: readonly Uint32Array[],
	sources: readonly string[],
	limit: TokenLimit,
): Uint32Array[] {
	return tokens.map((text, index) => {
		if (text.length <= limit.tokens) return text;
		if (limit.cut) return text.slice(0, limit.tokens);
		const allowed = `expected at most ${limit.tokens} (${limit.reason}), or --max-tokens context to cut longer texts`;
		throw new TailtuneError("data", `${sources[index]}: found a text of ${text.length} tokens, ${allowed}`);
	});
}

/**
 * What `--pad` comes to: the length that every text is padded to, or undefined for each batch to its own longest.
 * @param training tokens of the training texts, after the limit
 */
export function padLength(pad: TrainConfig["pad"], training: readonly Uint32Array[]): number | undefined {
	if (pad === "bucket") return undefined;
	if (typeof pad === "number") return pad;
	return training.reduce((longest, { length }) => Math.max(longest, length), 0);
}
