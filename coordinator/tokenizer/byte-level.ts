import { BYTE_CHARACTERS, writeBytes } from "./byte-characters.ts";
import { readMerges } from "./byte-pair.ts";
import { cacheWords, type EncodeWord } from "./cache-words.ts";
import type { TokenizerDefinition } from "./tokenizer-definition.ts";
import { LETTERS, NUMBERS } from "./unicode-classes.ts";

/**
 * Splits a text into words, with the pattern of GPT-2's authors; bytes are merged only within a word. `\s` in that
 * pattern means Unicode's white space, which differs from JavaScript's `\s` (U+0085 is white space, U+FEFF isn't).
 */
const WORDS = new RegExp(
	String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?[L]+| ?[N]+| ?[^\p{White_Space}LN]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+`
		.replaceAll("L", LETTERS)
		.replaceAll("N", NUMBERS),
	"gu",
);

/** Encodes a piece of a text; stops when the array has at least `atMost` tokens. */
export type EncodePiece = (text: string, tokens: number[], atMost: number) => void;

const encoder = new TextEncoder();

/** Splits a text into GPT-2's words. */
export function splitIntoWords(text: string): readonly string[] {
	return text.match(WORDS) ?? [];
}

/**
 * Returns the encoder of a byte-level byte-pair encoding: the same ids as tiktoken and Hugging Face's tokenizers.
 * @param usesWords whether a piece is divided into GPT-2's words first
 * @throws TailtuneError "model" that names a merge that can't be used
 */
export function createByteLevelEncoder(
	definition: TokenizerDefinition,
	vocabulary: ReadonlyMap<string, number>,
	{ prefixSpace, usesWords }: { readonly prefixSpace: boolean; readonly usesWords: boolean },
): EncodePiece {
	const encodeWord = cacheWords(createWordEncoder(definition, vocabulary));
	return (given, tokens, atMost) => {
		const text = prefixSpace && !given.startsWith(" ") ? ` ${given}` : given;
		if (!usesWords) return void pushAll(tokens, encodeWord(text));
		// Not matchAll, which copies the long pattern for each text.
		WORDS.lastIndex = 0;
		for (let match = WORDS.exec(text); match && tokens.length < atMost; match = WORDS.exec(text))
			pushAll(tokens, encodeWord(match[0]));
	};
}

function pushAll(to: number[], tokens: readonly number[]): void {
	for (const token of tokens) to.push(token);
}

function createWordEncoder(definition: TokenizerDefinition, vocabulary: ReadonlyMap<string, number>): EncodeWord {
	const { unk_token, fuse_unk, ignore_merges } = definition.json.model;
	const merges = readMerges(definition, vocabulary);
	const ofByte = BYTE_CHARACTERS.map((character) => vocabulary.get(character));
	const unknown = unk_token == null ? undefined : vocabulary.get(unk_token);
	return (word) => {
		const bytes = encoder.encode(word);
		if (ignore_merges === true) {
			const whole = vocabulary.get(writeBytes(bytes));
			if (whole !== undefined) return [whole];
		}
		const symbols: number[] = [];
		let isUnknown = false;
		for (const byte of bytes) {
			const id = ofByte[byte] ?? unknown;
			const wasUnknown = isUnknown;
			isUnknown = ofByte[byte] === undefined;
			if (id !== undefined && !(isUnknown && wasUnknown && fuse_unk === true)) symbols.push(id);
		}
		return merges.encode(symbols);
	};
}
