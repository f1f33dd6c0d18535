import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import { TailtuneError } from "../../shared/errors.ts";
import type { EncodePiece } from "./byte-level.ts";
import type { AddedToken, TokenizerDefinition, TokenizerPart } from "./tokenizer-definition.ts";

const UNUSED = { decoder: null, post_processor: null };

/** Types of normalizers that put a text into one of Unicode's normal forms. */
const NORMAL_FORM = /^NFK?[CD]$/;

/**
 * All but the scripts of Unicode 16 that have composed characters. JavaScript's normal forms depend on the version of
 * Node; Hugging Face's tokenizers 0.23 leave these characters as they are.
 */
const NOT_NEWER = /[^\u{105c0}-\u{105ff}\u{11380}-\u{113ff}\u{16100}-\u{1613f}\u{16d40}-\u{16d7f}]+/gu;

/** A model that is never asked, for a tokenizer of which only other parts are used. */
const NO_MODEL = { type: "BPE", vocab: {}, merges: [] };

/**
 * Returns the encoder of a tokenizer that isn't byte-level, computed by Hugging Face's library.
 * @param recognized added tokens that are recognized in texts
 * @throws TailtuneError "model" if the library doesn't know a part of it
 */
export function createLibraryEncoder(definition: TokenizerDefinition, recognized: readonly AddedToken[]): EncodePiece {
	const whole = build(definition, { ...definition.json, ...UNUSED, added_tokens: recognized });
	return (text, tokens) => {
		// The library expects well-formed text.
		const wellFormed = Buffer.from(text).toString();
		for (const id of whole.encode(wellFormed, { add_special_tokens: false }).ids) if (id !== undefined) tokens.push(id);
	};
}

/** Returns the normalizer of a tokenizer; undefined if it has none. */
export function createNormalizer(definition: TokenizerDefinition): ((text: string) => string) | undefined {
	const { normalizer } = definition.json;
	if (normalizer === null) return undefined;
	const built = build(definition, { ...UNUSED, added_tokens: [], normalizer, pre_tokenizer: null, model: NO_MODEL });
	const normalize = (text: string) => built.normalizer?.normalize(text) ?? text;
	return NORMAL_FORM.test(normalizer.type) ? (text) => text.replaceAll(NOT_NEWER, normalize) : normalize;
}

/** Returns a function that divides a text as these pre-tokenizers do; undefined if there are none. */
export function createPreTokenizer(
	definition: TokenizerDefinition,
	parts: readonly TokenizerPart[],
): ((text: string) => readonly string[]) | undefined {
	if (parts.length === 0) return undefined;
	const pre_tokenizer = { type: "Sequence", pretokenizers: parts };
	const built = build(definition, { ...UNUSED, added_tokens: [], normalizer: null, pre_tokenizer, model: NO_MODEL });
	return (text) => built.pre_tokenizer?.pre_tokenize(text) ?? [text];
}

function build({ name }: TokenizerDefinition, content: object): LibraryTokenizer {
	try {
		return new LibraryTokenizer(content, {});
	} catch (cause) {
		const message = cause instanceof Error ? cause.message : String(cause);
		throw new TailtuneError("model", `${name}: can't be used: ${message.split("\n", 1)[0]}`, { cause });
	}
}
