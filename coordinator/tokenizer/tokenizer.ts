import type { SpecialTokensInTexts } from "../../shared/settings/config.ts";
import { createSplitter } from "./added-tokens.ts";
import { type Affixes, affixesOf } from "./affixes.ts";
import { createByteLevelEncoder, type EncodePiece } from "./byte-level.ts";
import { findPad } from "./find-pad.ts";
import {
	type AddedToken,
	hashDefinition,
	type TokenizerDefinition,
	type TokenizerPart,
} from "./tokenizer-definition.ts";

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
 * Creates the tokenizer of a model. Byte-level byte-pair encoding, GPT-2's kind, is our own, because it has to be fast;
 * every other kind is computed by `@huggingface/tokenizers`.
 * @param size rows of the token embedding
 * @throws TailtuneError "model" if the definition can't be used, or has an id that isn't below `size`
 */
export async function createTokenizer(
	given: TokenizerDefinition,
	size: number,
	specialTokens: SpecialTokensInTexts,
): Promise<Tokenizer> {
	const { definition, padId } = findPad(given, size);
	const affixes = affixesOf(definition);
	const { encode, mostPerByte } = await createEncoder(definition, specialTokens);
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
			return mostPerByte * Buffer.byteLength(text) + 1 + before.length + after.length > most;
		},
	};
}

interface TextEncoding {
	readonly encode: EncodePiece;
	readonly mostPerByte: number;
}

async function createEncoder(
	definition: TokenizerDefinition,
	specialTokens: SpecialTokensInTexts,
): Promise<TextEncoding> {
	const { json } = definition;
	const recognized = json.added_tokens.filter(({ special }) => specialTokens === "tokens" || !special);
	const words = splitPreTokenizer(json.pre_tokenizer);
	const needsLibrary = json.normalizer !== null || words === undefined || words.first.length > 0;
	const library = needsLibrary ? await import("./library-encoder.ts") : undefined;
	if (!words || !isPlainBpe(json.model)) {
		const { createLibraryEncoder } = library ?? (await import("./library-encoder.ts"));
		return { encode: createLibraryEncoder(definition, recognized), mostPerByte: Number.POSITIVE_INFINITY };
	}
	const normalize = library?.createNormalizer(definition) ?? ((text: string) => text);
	const divide = library?.createPreTokenizer(definition, words.first) ?? ((text: string) => [text]);
	const encodeWords = createByteLevelEncoder(definition, words);
	const byteLevel = { recognized, normalize, divide, encodeWords };
	const mostPerByte = json.normalizer !== null ? Number.POSITIVE_INFINITY : words.prefixSpace ? 2 : 1;
	return { encode: encodeAroundAdded(byteLevel), mostPerByte };
}

/** Whether a model is byte-pair encoding without marks at the ends of words. */
function isPlainBpe(model: TokenizerDefinition["json"]["model"]): boolean {
	const { type, byte_fallback, continuing_subword_prefix: prefix, end_of_word_suffix: suffix } = model;
	return type === "BPE" && byte_fallback !== true && !prefix && !suffix;
}

/** Steps of a byte-level tokenizer. */
interface ByteLevelSteps {
	readonly recognized: readonly AddedToken[];
	readonly normalize: (text: string) => string;
	readonly divide: (text: string) => readonly string[];
	readonly encodeWords: EncodePiece;
}

/** Splits a text at the added tokens first; those marked as normalized are found after normalization. */
function encodeAroundAdded({ recognized, normalize, divide, encodeWords }: ByteLevelSteps): EncodePiece {
	const splitGiven = createSplitter(recognized.filter(({ normalized }) => !normalized));
	const ofNormal = recognized.filter(({ normalized }) => normalized);
	const splitNormal = createSplitter(ofNormal.map((token) => ({ ...token, content: normalize(token.content) })));
	return (text, tokens, atMost) => {
		for (const given of splitGiven(text)) {
			const pieces = typeof given === "number" ? [given] : splitNormal(normalize(given));
			for (const piece of pieces) {
				if (tokens.length >= atMost) return;
				if (typeof piece === "number") tokens.push(piece);
				else for (const part of divide(piece)) encodeWords(part, tokens, atMost);
			}
		}
	};
}

/** The division into words of a byte-level tokenizer. */
interface ByteLevelWords {
	/** Parts that divide a text before. */
	readonly first: readonly TokenizerPart[];
	readonly prefixSpace: boolean;
	readonly usesWords: boolean;
}

/** Returns the steps of a pre-tokenizer that ends with bytes; undefined for any other one. */
function splitPreTokenizer(part: TokenizerPart | null): ByteLevelWords | undefined {
	const parts = part?.type === "Sequence" ? (part.pretokenizers as TokenizerPart[]) : part ? [part] : [];
	const last = parts.at(-1);
	if (last?.type !== "ByteLevel") return undefined;
	const { add_prefix_space: prefixSpace = true, use_regex: usesWords = true } = last;
	return { first: parts.slice(0, -1), prefixSpace: prefixSpace === true, usesWords: usesWords === true };
}
