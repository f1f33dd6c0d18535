import type { SpecialTokensInTexts } from "../../shared/settings/config.ts";
import { type Affixes, affixesOf } from "./affixes.ts";
import { createEncoder } from "./create-encoder.ts";
import { findPad } from "./find-pad.ts";
import { hashDefinition, type TokenizerDefinition, vocabularyOf } from "./tokenizer-definition.ts";

/** Makes the tokens of texts, with the vocabulary of one model. */
export interface Tokenizer {
	readonly definition: TokenizerDefinition;
	/** SHA-256 of everything that affects the tokens of a text, hexadecimal. */
	readonly hash: string;
	/** How names of special tokens in a text are read. */
	readonly specialTokens: SpecialTokensInTexts;
	/** Id of the token with which texts are padded; no text ends with it. */
	readonly padId: number;
	/** Returns the id of the token that begins or ends a text in this model's training; undefined if none is named. */
	idOf(special: "bos" | "eos"): number | undefined;
	/** Ids that come before and after the tokens of every text. */
	readonly affixes: Affixes;
	/**
	 * Tokenizes texts. A text without characters has no tokens, except the affixes.
	 * @param atMost maximum number of tokens of a text without affixes; the rest of a longer text needn't be read
	 */
	tokenize(texts: readonly string[], atMost?: number): Uint32Array[];
	/** Whether a text can have more tokens than `most`; a quick answer, true if that can't be told from its length. */
	mayExceed(text: string, most: number): boolean;
}

/**
 * Creates the tokenizer of a model.
 * @param size rows of the token embedding
 * @throws TailtuneError "model" if the definition can't be used, or has an id that isn't below `size`
 */
export async function createTokenizer(
	given: TokenizerDefinition,
	size: number,
	specialTokens: SpecialTokensInTexts,
): Promise<Tokenizer> {
	const vocabulary = vocabularyOf(given);
	const { definition, padId } = findPad(given, vocabulary, size, specialTokens);
	const affixes = affixesOf(definition, size);
	const { encode, mostPerByte } = await createEncoder(definition, vocabulary, specialTokens);
	return {
		definition,
		hash: hashDefinition(definition),
		specialTokens,
		padId,
		affixes,
		idOf: (special) => definition.json.added_tokens.find(({ content }) => content === definition.special[special])?.id,
		tokenize(texts, atMost = Number.POSITIVE_INFINITY) {
			return texts.map((text) => {
				const tokens: number[] = [];
				encode(text, tokens, atMost);
				const { before, after } = affixes;
				const read = Math.min(tokens.length, atMost);
				const all = new Uint32Array(before.length + read + after.length);
				all.set(before);
				all.set(read < tokens.length ? tokens.slice(0, read) : tokens, before.length);
				all.set(after, before.length + read);
				return all;
			});
		},
		mayExceed(text, most) {
			const { before, after } = affixes;
			const inside = text === "" ? 0 : mostPerByte * Buffer.byteLength(text);
			return before.length + inside + after.length > most;
		},
	};
}
