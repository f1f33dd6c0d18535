import { toUSVString } from "node:util";
import type { SpecialTokensInTexts } from "../../shared/settings/config.ts";
import { createSplitter } from "./added-tokens.ts";
import { createByteLevelEncoder, type EncodePiece } from "./byte-level.ts";
import { splitPreTokenizer } from "./byte-level-words.ts";
import type { Parts } from "./pre-tokenizer.ts";
import type { AddedToken, TokenizerDefinition } from "./tokenizer-definition.ts";

/** The encoder of a tokenizer, without affixes. */
export interface TextEncoding {
	readonly encode: EncodePiece;
	/** Largest number of tokens per byte of a text; infinite if it isn't known. */
	readonly mostPerByte: number;
}

/** Steps that make the tokens of a text. */
interface Steps {
	/** Added tokens that are recognized in texts. */
	readonly recognized: readonly AddedToken[];
	readonly normalize: (text: string) => string;
	readonly divide: (parts: Parts) => Parts;
	readonly encodePart: EncodePiece;
}

/**
 * Creates the encoder of a tokenizer: the same ids as Hugging Face's tokenizers.
 * @throws TailtuneError "model" if a part can't be used
 */
export async function createEncoder(
	definition: TokenizerDefinition,
	vocabulary: ReadonlyMap<string, number>,
	specialTokens: SpecialTokensInTexts,
): Promise<TextEncoding> {
	const { json } = definition;
	const recognized = json.added_tokens.filter(({ special }) => specialTokens === "tokens" || !special);
	const words = isPlainBpe(json.model) ? splitPreTokenizer(json.pre_tokenizer) : undefined;
	const first = words?.first ?? (json.pre_tokenizer === null ? [] : [json.pre_tokenizer]);
	const hasSteps = json.normalizer !== null || first.length > 0;
	// Loaded only when needed: GPT-2's tokenizer has neither.
	const [normalizers, preTokenizers] = hasSteps ? await loadSteps() : [];
	const normalize = normalizers?.createNormalizer(definition) ?? ((text: string) => text);
	const divide = preTokenizers?.createPreTokenizer(definition, first) ?? ((parts: Parts) => parts);
	const encodePart = words
		? createByteLevelEncoder(definition, vocabulary, words)
		: await createPartEncoder(definition, vocabulary);
	// Each token has at least one byte of a part, and `prefixSpace` adds one byte to each part.
	const isBounded = words && json.normalizer === null && (preTokenizers?.onlyDivide(first) ?? true);
	const mostPerByte = isBounded ? (words.prefixSpace ? 2 : 1) : Number.POSITIVE_INFINITY;
	return { encode: encodeAroundAdded({ recognized, normalize, divide, encodePart }), mostPerByte };
}

function loadSteps() {
	return Promise.all([import("./normalizer.ts"), import("./pre-tokenizer.ts")]);
}

/** Whether a model is byte-pair encoding without marks at the ends of words. */
function isPlainBpe(model: TokenizerDefinition["json"]["model"]): boolean {
	const { type, byte_fallback, continuing_subword_prefix: prefix, end_of_word_suffix: suffix } = model;
	return type === "BPE" && byte_fallback !== true && !prefix && !suffix;
}

async function createPartEncoder(
	definition: TokenizerDefinition,
	vocabulary: ReadonlyMap<string, number>,
): Promise<EncodePiece> {
	const encodeWord = (await import("./word-encoder.ts")).createWordEncoder(definition, vocabulary);
	return (text, tokens) => {
		for (const token of encodeWord(text)) tokens.push(token);
	};
}

/** Splits a text at the added tokens first; those marked as normalized are found after normalization. */
function encodeAroundAdded({ recognized, normalize, divide, encodePart }: Steps): EncodePiece {
	const splitGiven = createSplitter(recognized.filter(({ normalized }) => !normalized));
	const ofNormal = recognized.filter(({ normalized }) => normalized);
	const normals = ofNormal.map((token) => ({ ...token, content: normalize(token.content) }));
	const splitNormal = createSplitter(normals.filter(({ content }) => content !== ""));
	return (given, tokens, atMost) => {
		// Half a surrogate pair counts as U+FFFD.
		const text = toUSVString(given);
		let isStart = true;
		for (const piece of splitGiven(text)) {
			const pieces = typeof piece === "number" ? [piece] : splitNormal(normalize(piece));
			for (const one of pieces) {
				if (tokens.length >= atMost) return;
				if (typeof one === "number") tokens.push(one);
				else {
					for (const part of divide({ texts: [one], isStart }).texts) {
						if (tokens.length >= atMost) return;
						encodePart(part, tokens, atMost);
					}
				}
				isStart = false;
			}
		}
	};
}
